// What is shown of one job: describe, why, logs, events; and the commands that change it.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "runtime/client/testing.h"
#include "tools/trainctl/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using absl::StrContains;
using Texts = std::vector<std::string>;

struct World {
  client::FakeCoordinator coordinator;

  // Answers every question for a job with this one.
  void Knows(const std::string& job_id) {
    coordinator.methods.get = [job_id](const pb::GetJobRequest&, pb::Job* job) {
      job->set_job_id(job_id);
      return grpc::Status::OK;
    };
  }
  Ran Run(std::vector<std::string> words) {
    words.insert(words.end(), {"-c", coordinator.address()});
    return Trainctl(words);
  }
};

pb::Job FullJob() {
  pb::Job job;
  job.set_job_id("mnist-abc123");
  job.set_state(pb::RUNNING);
  job.mutable_reason()->set_code("AllUp");
  job.mutable_reason()->set_sentence("all ranks are up");
  job.set_user("ada");
  job.set_submitted_ns(1'700'000'000'000'000'000);
  job.set_generation(2);
  job.set_restarts(1);
  pb::Placement& placement = *job.add_placement();
  placement.set_rank(1);
  placement.set_worker_id("w2");
  placement.add_slots(0);
  placement.add_slots(3);
  job.mutable_progress()->set_step(7);
  job.mutable_progress()->set_total_steps(9);
  job.mutable_progress()->set_loss(0.25);
  for (const char* name : {"validation/loss", "train/loss", "validation/accuracy"}) {
    (*job.mutable_metrics())[name] = 0.5;
  }
  job.mutable_spec()->set_name("mnist");
  job.mutable_plan()->set_fingerprint("ISA avx2, 1 thread");
  return job;
}

TEST_CASE("describe says everything about a job, metrics in order, and its spec") {
  World world;
  world.coordinator.methods.get = [](const pb::GetJobRequest& request, pb::Job* job) {
    CHECK(request.job_id() == "mnist");
    *job = FullJob();
    return grpc::Status::OK;
  };
  const Ran ran = world.Run({"describe", "mnist"});
  CHECK(ran.code == 0);
  for (const char* part :
       {"job            mnist-abc123\n", "state          Running – AllUp: all ranks are up\n",
        "user           ada\n", "generation     2, restarts 1\n",
        "rank 1         worker w2, slots 0,3\n", "step 7 of 9", "loss 0.25000",
        "computes by    ISA avx2, 1 thread\n", "spec:\n",
        "name: mnist"}) {
    CAPTURE(part);
    CHECK(StrContains(ran.out, part));
  }
  CHECK(ran.out.find("train/loss") < ran.out.find("validation/accuracy"));
  CHECK(ran.out.find("validation/accuracy") < ran.out.find("validation/loss"));
  CHECK_FALSE(StrContains(ran.out, "weights sha256"));  // there is none yet
  CHECK(world.Run({"describe", "mnist", "-o", "name"}).out == "mnist-abc123\n");
  const auto json = base::Json::Parse(world.Run({"describe", "mnist", "-o", "json"}).out);
  CHECK(json->Find("spec")->Find("name")->string_or("") == "mnist");
}

TEST_CASE("why gives the reason, its details and who holds what is missing") {
  World world;
  world.coordinator.methods.explain = [](const pb::GetJobRequest&, pb::Explanation* why) {
    why->mutable_reason()->set_code("Resources");
    why->mutable_reason()->set_sentence("2 slots are wanted, 0 are free");
    why->add_details("it starts when mnist-a ends");
    pb::Holder& holder = *why->add_holders();
    holder.set_job_id("mnist-a");
    holder.set_worker_id("w1");
    holder.set_slots(2);
    return grpc::Status::OK;
  };
  const Ran ran = world.Run({"why", "mnist"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "Resources: 2 slots are wanted, 0 are free\n"
                   "  it starts when mnist-a ends\n"
                   "  held by mnist-a: 2 slots of worker w1\n");
  CHECK(StrContains(world.Run({"why", "mnist", "-o", "yaml"}).out, "holders:\n  -\n"));
}

TEST_CASE("logs are printed as lines of their ranks, and the flags reach the coordinator") {
  World world;
  pb::LogsRequest asked;
  pb::LogLines first, second;
  first.set_rank(0);
  first.add_lines("one");
  first.add_lines("");
  second.set_rank(1);
  second.add_lines("two");
  world.coordinator.methods.logs = [&](grpc::ServerContext*, const pb::LogsRequest& request,
                                       grpc::ServerWriter<pb::LogLines>* writer) {
    asked = request;
    writer->Write(first);
    writer->Write(second);
    return grpc::Status::OK;
  };
  const Ran ran = world.Run({"logs", "mnist"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "[rank 0] one\n[rank 0] \n[rank 1] two\n");
  CHECK(asked.job_id() == "mnist");
  CHECK_FALSE(asked.follow());
  CHECK_FALSE(asked.has_rank());
  world.Knows("mnist-abc123");
  world.Run({"logs", "-f", "mnist", "--rank", "0", "--tail=20", "--since", "2m"});
  CHECK(asked.follow());
  CHECK(asked.job_id() == "mnist-abc123");  // by tomorrow the prefix may be another job's
  CHECK(asked.has_rank());
  CHECK(asked.rank() == 0);
  CHECK(asked.tail() == 20);
  CHECK(asked.since_seconds() == 120);
}

TEST_CASE("logs that end in an error exit with it, after what came") {
  World world;
  pb::LogLines lines;
  lines.add_lines("last words");
  world.coordinator.methods.logs = client::Sends<pb::LogsRequest, pb::LogLines>(
      {lines}, {grpc::StatusCode::UNAVAILABLE, "ending"});
  const Ran ran = world.Run({"logs", "mnist"});
  CHECK(ran.code == 69);
  CHECK(ran.out == "[rank 0] last words\n");
  world.Knows("mnist-abc123");
  const Ran followed = world.Run({"logs", "-f", "mnist", "--patience", "0s"});
  CHECK(followed.code == 69);
  CHECK(followed.out == "[rank 0] last words\n");
}

pb::JobEvent JobEventOf(pb::JobState from, pb::JobState to) {
  pb::JobEvent event;
  pb::JobTransition& transition = *event.mutable_transition();
  transition.set_job_id("mnist-abc123");
  transition.set_from(from);
  transition.set_to(to);
  transition.mutable_reason()->set_code("Because");
  transition.mutable_reason()->set_sentence("it is so");
  return event;
}

TEST_CASE("events are one line each, of jobs and of workers") {
  World world;
  pb::JobEvent worker;
  worker.mutable_worker()->set_worker_id("w1");
  worker.mutable_worker()->set_to(pb::LOST);
  worker.mutable_worker()->mutable_reason()->set_code("WorkerLost");
  world.coordinator.methods.events = client::Sends<pb::EventsRequest, pb::JobEvent>(
      {JobEventOf(pb::JOB_STATE_UNSPECIFIED, pb::QUEUED), JobEventOf(pb::QUEUED, pb::STARTING),
       worker});
  const Ran ran = world.Run({"events"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "-  mnist-abc123  Queued  Because: it is so\n"
                   "-  mnist-abc123  Queued → Starting  Because: it is so\n"
                   "-  worker w1  Lost  WorkerLost: \n");
  const Texts json = absl::StrSplit(world.Run({"events", "-o", "json"}).out, '\n',
                                    absl::SkipEmpty());
  REQUIRE(json.size() == 3);
  for (const std::string& line : json) CHECK(base::Json::Parse(line).ok());
  const std::string yaml = world.Run({"events", "-o", "yaml"}).out;
  CHECK(absl::StartsWith(yaml, "---\ntransition:\n  job_id: \"mnist-abc123\"\n"));
}

TEST_CASE("a notice is said of the state that its job is in") {
  World world;
  pb::JobEvent notice = JobEventOf(pb::RUNNING, pb::RUNNING);
  notice.mutable_transition()->set_notice(true);
  world.coordinator.methods.events =
      client::Sends<pb::EventsRequest, pb::JobEvent>({notice});
  CHECK(world.Run({"events"}).out == "-  mnist-abc123  Running  Because: it is so\n");
}

TEST_CASE("events are of one job when one is named, and go on when asked") {
  World world;
  pb::EventsRequest asked;
  world.coordinator.methods.events = [&](grpc::ServerContext*, const pb::EventsRequest& request,
                                         grpc::ServerWriter<pb::JobEvent>*) {
    asked = request;
    return grpc::Status::OK;
  };
  world.Run({"events"});
  CHECK(asked.job_id().empty());
  CHECK_FALSE(asked.follow());
  world.Run({"events", "mnist"});
  CHECK(asked.job_id() == "mnist");
  world.Knows("mnist-abc123");
  world.Run({"events", "mnist", "-w"});
  CHECK(asked.job_id() == "mnist-abc123");
  CHECK(asked.follow());
}

TEST_CASE("cancel, kill, pause and resume change the job and say what became of it") {
  World world;
  const auto answer = [](const std::string& verb, const std::string& job_id, pb::Job* job) {
    job->set_job_id(job_id + "-abc123");
    job->set_state(pb::STOPPING);
    job->mutable_reason()->set_sentence(verb);
    return grpc::Status::OK;
  };
  client::FakeMethods& methods = world.coordinator.methods;
  methods.cancel = [&](const pb::CancelRequest& r, pb::Job* j) { return answer("c", r.job_id(), j); };
  methods.kill = [&](const pb::CancelRequest& r, pb::Job* j) { return answer("k", r.job_id(), j); };
  methods.pause = [&](const pb::GetJobRequest& r, pb::Job* j) { return answer("p", r.job_id(), j); };
  methods.resume = [&](const pb::GetJobRequest& r, pb::Job* j) { return answer("r", r.job_id(), j); };
  for (const std::string verb : {"cancel", "kill", "pause", "resume"}) {
    const Ran ran = world.Run({verb, "mnist", "-y"});
    CAPTURE(verb);
    CHECK(ran.code == 0);
    CHECK(ran.out == "mnist-abc123\n");
    CHECK(ran.err == "Stopping: " + verb.substr(0, 1) + "\n");
  }
  CHECK(base::Json::Parse(world.Run({"cancel", "mnist", "-y", "-o", "json"}).out)
            ->Find("state")
            ->string_or("") == "STOPPING");
}

TEST_CASE("what the job's state does not allow is a failure with the coordinator's sentence") {
  World world;
  world.coordinator.methods.cancel = [](const pb::CancelRequest&, pb::Job*) {
    return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "job mnist-a has ended");
  };
  const Ran ran = world.Run({"cancel", "mnist", "--yes"});
  CHECK(ran.code == 1);
  CHECK(ran.err == "trainctl: job mnist-a has ended\n");
  CHECK(ran.out.empty());
}

TEST_CASE("the cluster as a whole is shown with its jobs by state") {
  World world;
  world.coordinator.methods.status = [](const pb::StatusRequest&, pb::StatusReply* reply) {
    reply->set_address("127.0.0.1:1");
    reply->set_version("0.1");
    reply->set_pid(42);
    reply->set_storage("/storage");
    reply->set_workers(2);
    reply->set_slots(4);
    reply->set_slots_used(3);
    (*reply->mutable_jobs())["running"] = 1;
    (*reply->mutable_jobs())["queued"] = 5;
    return grpc::Status::OK;
  };
  const Ran ran = world.Run({"cluster", "status"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "coordinator 127.0.0.1:1  version 0.1  process 42\nstorage /storage\n"
                   "workers 2  slots 3/4 used\njobs queued 5\njobs running 1\n");
  CHECK(base::Json::Parse(world.Run({"cluster", "status", "-o", "json"}).out)
            ->Find("workers")
            ->int_or(0) == 2);
}

}  // namespace
}  // namespace rm::trainctl
