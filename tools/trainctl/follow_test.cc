#include "tools/trainctl/follow.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/temporary_folder.h"
#include "runtime/client/testing.h"
#include "tools/trainctl/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using absl::StrContains;

pb::Job JobIn(pb::JobState state, const std::string& code = "", const std::string& sentence = "") {
  pb::Job job;
  job.set_job_id("mnist-abc123");
  job.set_state(state);
  job.mutable_reason()->set_code(code);
  job.mutable_reason()->set_sentence(sentence);
  return job;
}

TEST_CASE("a result is accuracy, checkpoint and logs, as far as there are any") {
  pb::Job job = JobIn(pb::SUCCEEDED);
  CHECK(ResultText(job, "table") == "");
  job.set_log_folder("/logs");
  CHECK(ResultText(job, "table") == "logs /logs\n");
  (*job.mutable_metrics())["validation/accuracy"] = 0.9;
  (*job.mutable_metrics())["validation/loss"] = 0.3;
  job.set_last_checkpoint("/c/step");
  CHECK(ResultText(job, "wide") == "validation accuracy 90.00 %\ncheckpoint /c/step\nlogs /logs\n");
  CHECK(ResultText(job, "name") == "");
  CHECK(base::Json::Parse(ResultText(job, "json"))->Find("log_folder")->string_or("") == "/logs");
  CHECK(StrContains(ResultText(job, "yaml"), "log_folder: \"/logs\"\n"));
}

// `trainctl wait` is FollowJob without progress.
struct World {
  client::FakeCoordinator coordinator;
  pb::Job first = JobIn(pb::QUEUED, "Resources", "no slot is free");

  World() {
    coordinator.methods.get = [this](const pb::GetJobRequest& request, pb::Job* job) {
      if (request.job_id() != "mnist-abc123" && request.job_id() != "mnist") {
        return grpc::Status(grpc::StatusCode::NOT_FOUND, "no job '" + request.job_id() + "'");
      }
      *job = first;
      return grpc::Status::OK;
    };
  }
  Ran Wait(std::vector<std::string> words = {}, const std::string& job = "mnist") {
    words.insert(words.begin(), {"wait", job, "-c", coordinator.address()});
    return Trainctl(words);
  }
  // The states of the watched job; the stream then ends with `status`.
  void Shows(std::vector<pb::Job> jobs, grpc::Status status = grpc::Status::OK) {
    coordinator.methods.watch = client::Sends<pb::GetJobRequest, pb::Job>(jobs, status);
  }
};

TEST_CASE("waiting ends with the job, and exits with how it ended") {
  const struct {
    pb::JobState state;
    int code;
    bool said;
  } cases[] = {{pb::SUCCEEDED, 0, false}, {pb::FAILED, 100, true}, {pb::CANCELLED, 103, true}};
  for (const auto& c : cases) {
    World world;
    world.Shows({JobIn(pb::RUNNING), JobIn(c.state, "TheCode", "the sentence")});
    const Ran ran = world.Wait();
    CAPTURE(c.code);
    CHECK(ran.code == c.code);
    CHECK(ran.err.empty() != c.said);
    if (c.said) CHECK(StrContains(ran.err, "mnist-abc123 "));
    if (c.said) CHECK(StrContains(ran.err, "TheCode: the sentence"));
  }
}

TEST_CASE("a job that has ended already is not watched") {
  World world;
  world.first = JobIn(pb::FAILED, "Preflight", "no data");
  CHECK(world.Wait().code == 100);
}

TEST_CASE("a job that does not exist is exit code 102") {
  World world;
  const Ran ran = world.Wait({}, "nobody");
  CHECK(ran.code == 102);
  CHECK(ran.err == "trainctl: no job 'nobody'\n");
}

TEST_CASE("when the time is over the job goes on, and its state is said") {
  for (const char* timeout : {"0s", "30ms"}) {
    World world;
    world.coordinator.methods.watch = [](grpc::ServerContext* context, const pb::GetJobRequest&,
                                         grpc::ServerWriter<pb::Job>*) {
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::CANCELLED;
    };
    const Ran ran = world.Wait({"--timeout", timeout});
    CAPTURE(timeout);
    CHECK(ran.code == 101);
    CHECK(ran.err == "mnist-abc123 has not ended: Queued\n");
    CHECK(ran.out.empty());
  }
}

TEST_CASE("a coordinator that goes away is waited for") {
  for (const grpc::Status& end :
       {grpc::Status(grpc::StatusCode::UNAVAILABLE, "ending"), grpc::Status::OK}) {
    World world;
    int watches = 0;
    world.coordinator.methods.watch = [&](grpc::ServerContext*, const pb::GetJobRequest& request,
                                          grpc::ServerWriter<pb::Job>* writer) {
      CHECK(request.job_id() == "mnist-abc123");  // the whole id, not what was typed
      writer->Write(JobIn(pb::RUNNING));
      if (++watches < 3) return end;
      writer->Write(JobIn(pb::SUCCEEDED));
      return grpc::Status::OK;
    };
    const Ran ran = world.Wait();
    CHECK(ran.code == 0);
    CHECK(watches == 3);
  }
}

TEST_CASE("a coordinator that was there before is waited for from the first question on; else it is not") {
  for (const bool has_answered : {true, false}) {
    World world;
    world.Shows({JobIn(pb::SUCCEEDED)});
    int asked = 0;
    world.coordinator.methods.get = [&](const pb::GetJobRequest&, pb::Job* job) {
      if (++asked == 1) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "dying");
      *job = JobIn(pb::RUNNING);
      return grpc::Status::OK;
    };
    Session session;
    CommonFlags flags;
    flags.coordinator = world.coordinator.address();
    const auto client = session.Connect(flags);
    REQUIRE(client.ok());
    FollowOptions options;
    options.progress = false;
    options.has_answered = has_answered;
    CHECK(FollowJob(session, **client, "mnist", options) == (has_answered ? 0 : 69));
    CHECK(asked == (has_answered ? 2 : 1));
  }
}

TEST_CASE("a change of state is said once off a terminal, before the first step as well") {
  World world;
  world.first = JobIn(pb::STARTING, "GangStarted", "ranks are coming up");
  pb::Job running = JobIn(pb::RUNNING, "AllJoined", "all ranks have joined");
  world.Shows({running, running, JobIn(pb::SUCCEEDED)});
  // The progress goes to the file descriptor, not to the stream.
  const base::TemporaryFolder folder;
  const int saved = ::dup(STDERR_FILENO);
  const int file = ::open(folder.File("err").c_str(), O_WRONLY | O_CREAT, 0600);
  ::dup2(file, STDERR_FILENO);
  int code = 0;
  {
    Session session;
    CommonFlags flags;
    flags.coordinator = world.coordinator.address();
    const auto client = session.Connect(flags);
    REQUIRE(client.ok());
    code = FollowJob(session, **client, "mnist", {});
  }
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(file);
  CHECK(code == 0);
  CHECK(*base::PosixFileSystem().ReadFile(folder.File("err")) ==
        "Starting: ranks are coming up\nRunning: all ranks have joined\nSucceeded: \n");
}

TEST_CASE("an error that waiting does not mend ends the waiting") {
  World world;
  world.Shows({JobIn(pb::RUNNING)}, {grpc::StatusCode::INTERNAL, "broken"});
  const Ran ran = world.Wait();
  CHECK(ran.code == 1);
  CHECK(StrContains(ran.err, "broken"));
}

}  // namespace
}  // namespace rm::trainctl
