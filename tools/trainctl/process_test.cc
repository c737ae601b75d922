// What only a process can show: Ctrl-C, readers that leave, a coordinator that dies under it.
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "runtime/client/testing.h"
#include "tools/trainctl/process_for_test.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using absl::StrContains;
using Texts = std::vector<std::string>;

constexpr char kId[] = "mnist-abc123";
constexpr char kJob[] =
    "apiVersion: ringmaster/v1\nkind: train\nname: mnist\nmodel: {zoo: mlp}\n"
    "data: {train: {path: digits, format: idx}}\n"
    "train: {epochs: 1, global_batch_size: 10, optimizer: {type: SGD, params: {lr: 0.1}}}\n";

// How often `part` stands in `text`.
int Count(const std::string& text, const std::string& part) {
  return static_cast<int>(std::vector<std::string>(absl::StrSplit(text, part)).size()) - 1;
}

pb::Job JobIn(pb::JobState state) {
  pb::Job job;
  job.set_job_id(kId);
  job.set_state(state);
  job.mutable_reason()->set_code("Because");
  job.mutable_reason()->set_sentence("it is so");
  return job;
}

// A coordinator with one running job, whose streams never end by themselves. It can be killed, and
// come back at the same address as another one.
class World {
 public:
  World() : coordinator(std::make_unique<client::FakeCoordinator>()) {
    port_ = coordinator->port();
    SetUp(*coordinator);
  }

  [[nodiscard]] std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  client::FakeMethods& methods() { return coordinator->methods; }
  void Kill() { coordinator.reset(); }
  // `change` is done to its methods before anybody can call them.
  void ComeBack(const std::function<void(client::FakeMethods&)>& change) {
    change_ = change;
    coordinator = std::make_unique<client::FakeCoordinator>(port_, [this](auto& methods) {
      SetUpMethods(methods);
      change_(methods);
    });
  }
  std::string JobFile() {
    const std::string path = folder.File("job.yaml");
    REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), path, kJob).ok());
    return path;
  }

  base::TemporaryFolder folder;
  std::atomic<int> streams{0};    // that have begun
  std::atomic<int> cancelled{0};  // that the client ended
  std::atomic<int> changes{0};    // calls that change the job
  std::unique_ptr<client::FakeCoordinator> coordinator;

 private:
  // Holds a stream open until its client, or the server, ends it.
  grpc::Status Hold(grpc::ServerContext* context) {
    ++streams;
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    ++cancelled;
    return grpc::Status::CANCELLED;
  }

  void SetUp(client::FakeCoordinator& server) { SetUpMethods(server.methods); }
  void SetUpMethods(client::FakeMethods& m) {
    m.status = [](const pb::StatusRequest&, pb::StatusReply*) { return grpc::Status::OK; };
    m.get = [](const pb::GetJobRequest&, pb::Job* job) {
      *job = JobIn(pb::RUNNING);
      return grpc::Status::OK;
    };
    m.submit = [](const pb::SubmitRequest&, pb::SubmitReply* reply) {
      reply->set_job_id(kId);
      return grpc::Status::OK;
    };
    m.cancel = m.kill = [this](const pb::CancelRequest&, pb::Job*) {
      ++changes;
      return grpc::Status::OK;
    };
    m.watch = [this](grpc::ServerContext* context, const auto&, auto*) { return Hold(context); };
    m.logs = [this](grpc::ServerContext* context, const auto&, auto*) { return Hold(context); };
    m.events = [this](grpc::ServerContext* context, const auto&, auto*) { return Hold(context); };
  }

  int port_ = 0;
  std::function<void(client::FakeMethods&)> change_;
};

// ---- Ctrl-C ---------------------------------------------------------------------------------------

TEST_CASE("Ctrl-C on what follows detaches, says that the job goes on and how to come back") {
  const struct {
    Texts words;
    std::string said;
  } cases[] = {
      {{"submit", "JOB", "-f"},
       "detached: mnist-abc123 goes on (trainctl wait mnist-abc123 waits for it, trainctl cancel "
       "mnist-abc123 ends it)\n"},
      {{"submit", "JOB", "--wait"},
       "detached: mnist-abc123 goes on (trainctl wait mnist-abc123 waits for it, trainctl cancel "
       "mnist-abc123 ends it)\n"},
      {{"wait", "mnist"},
       "detached: mnist-abc123 goes on (trainctl wait mnist-abc123 waits for it, trainctl cancel "
       "mnist-abc123 ends it)\n"},
      {{"logs", "-f", "mnist"},
       "detached: mnist-abc123 goes on (trainctl logs -f mnist-abc123 comes back to it)\n"},
      {{"events", "-w", "mnist"},
       "detached: mnist-abc123 goes on (trainctl events -w mnist-abc123 shows the events again)\n"},
      {{"events", "-w"}, "detached: all jobs go on (trainctl events -w shows the events again)\n"},
  };
  for (const auto& c : cases) {
    World world;
    Texts words = c.words;
    for (std::string& word : words) word = word == "JOB" ? world.JobFile() : word;
    words.insert(words.end(), {"-c", world.address()});
    Process process(words);
    CAPTURE(c.words, process.err());
    REQUIRE(Await([&] { return world.streams > 0; }));
    process.Signal(SIGWINCH);  // a terminal that is resized is no reason for anything
    process.Signal(SIGINT);
    CHECK(process.Wait() == 130);
    CHECK(absl::EndsWith(process.err(), c.said));
    CHECK(Count(process.err(), "detached") == 1);
    CHECK(Await([&] { return world.cancelled > 0; }));
    CHECK(world.changes == 0);  // the job was left alone
  }
}

TEST_CASE("so does a polite kill; and what does not follow just ends") {
  World world;
  Process follower({"wait", "mnist", "-c", world.address()});
  REQUIRE(Await([&] { return world.streams > 0; }));
  follower.Signal(SIGTERM);
  CHECK(follower.Wait() == 130);
  Process reader({"logs", "mnist", "-c", world.address()});
  REQUIRE(Await([&] { return world.streams > 1; }));
  reader.Signal(SIGINT);
  CHECK(reader.Wait() == 130);
  CHECK(reader.err().empty());
}

// ---- Readers that leave -----------------------------------------------------------------------------

// The writing end of a pipe that nobody reads.
struct DeafPipe {
  int ends[2];
  DeafPipe() {
    REQUIRE(::pipe(ends) == 0);
    ::close(ends[0]);
  }
  ~DeafPipe() { ::close(ends[1]); }
};

TEST_CASE("a reader that has enough is no error, and nothing is said") {
  World world;
  world.methods().list = [](const pb::ListJobsRequest&, pb::ListJobsReply* reply) {
    for (int i = 0; i < 100; ++i) *reply->add_jobs() = JobIn(pb::RUNNING);
    return grpc::Status::OK;
  };
  pb::LogLines lines;
  lines.add_lines("a line");
  world.methods().logs = client::Sends<pb::LogsRequest, pb::LogLines>({lines, lines});
  pb::JobEvent event;
  event.mutable_transition()->set_job_id(kId);
  world.methods().events = client::Sends<pb::EventsRequest, pb::JobEvent>({event, event});
  for (const Texts& command :
       {Texts{"list"}, Texts{"ls", "-o", "json"}, Texts{"logs", "mnist"}, Texts{"logs", "-f", "mnist"},
        Texts{"events"}, Texts{"events", "-w"}, Texts{"schema"}, Texts{"help"}, Texts{"version"}}) {
    Texts words = command;
    if (words[0] != "help") words.insert(words.end(), {"-c", world.address()});
    const DeafPipe pipe;
    Process process(words, pipe.ends[1]);
    CAPTURE(command);
    CHECK(process.Wait() == 0);
    CHECK(process.err().empty());
  }
}

TEST_CASE("a disk that is full is one, and is said") {
  const int full = ::open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  Process process({"schema"}, full);
  CHECK(process.Wait() == 1);
  CHECK(process.err() == "trainctl: cannot write to standard output\n");
  ::close(full);
}

// ---- A coordinator that dies ------------------------------------------------------------------------

pb::LogLines Lines(int rank, const Texts& texts, int64_t next_offset) {
  pb::LogLines lines;
  lines.set_rank(rank);
  lines.mutable_lines()->Add(texts.begin(), texts.end());
  lines.set_next_offset(next_offset);
  return lines;
}

TEST_CASE("logs -f goes on where it was when the coordinator comes back: no line twice, none lost") {
  World world;
  world.methods().logs = [&](grpc::ServerContext* context, const pb::LogsRequest& request,
                             grpc::ServerWriter<pb::LogLines>* writer) {
    if (request.tail() != 2) return grpc::Status(grpc::StatusCode::INTERNAL, "tail");
    writer->Write(Lines(0, {"a", "b"}, 4));
    writer->Write(Lines(1, {"x"}, 2));
    ++world.streams;
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    return grpc::Status::CANCELLED;
  };
  Process process({"logs", "-f", "mnist", "--tail", "2", "-c", world.address()});
  REQUIRE(Await([&] { return absl::StrContains(process.out(), "x\n"); }));
  world.Kill();
  REQUIRE(Await([&] { return StrContains(process.err(), "jobs go on without it"); }));
  std::map<int, int64_t> resumed;
  world.ComeBack([&](client::FakeMethods& m) {
    m.logs = [&](grpc::ServerContext*, const pb::LogsRequest& request,
                 grpc::ServerWriter<pb::LogLines>* writer) {
      resumed = {request.resume().begin(), request.resume().end()};
      writer->Write(Lines(0, {"c"}, 6));
      writer->Write(Lines(2, {"late"}, 5));
      return grpc::Status::OK;
    };
  });
  CHECK(process.Wait() == 0);
  CHECK(process.out() == "[rank 0] a\n[rank 0] b\n[rank 1] x\n[rank 0] c\n[rank 2] late\n");
  CHECK(resumed == std::map<int, int64_t>{{0, 4}, {1, 2}});
  CHECK(Count(process.err(), "jobs go on without it") == 1);
  CHECK(absl::EndsWith(process.err(), "the coordinator is back\n"));
}

pb::JobEvent EventOf(int64_t generation) {
  pb::JobEvent event;
  event.mutable_transition()->set_job_id(kId);
  event.mutable_transition()->set_generation(generation);
  return event;
}

TEST_CASE("events -w shows each event once, whoever shows it") {
  World world;
  world.methods().events = [&](grpc::ServerContext* context, const auto&, auto* writer) {
    for (int i = 1; i <= 3; ++i) writer->Write(EventOf(i));
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    return grpc::Status::CANCELLED;
  };
  Process process({"events", "-w", "mnist", "-o", "json", "-c", world.address()});
  REQUIRE(Await([&] { return Count(process.out(), "\n") == 3; }));
  world.Kill();
  REQUIRE(Await([&] { return StrContains(process.err(), "jobs go on without it"); }));
  world.ComeBack([](client::FakeMethods& m) {
    // The oldest one has been forgotten meanwhile.
    m.events = client::Sends<pb::EventsRequest, pb::JobEvent>(
        {EventOf(2), EventOf(3), EventOf(4), EventOf(5)});
  });
  CHECK(process.Wait() == 0);
  for (int i = 1; i <= 5; ++i) {
    CHECK(Count(process.out(), absl::StrCat("\"generation\":\"", i, "\"")) == 1);
  }
  CHECK(Count(process.err(), "jobs go on without it") == 1);
}

TEST_CASE("wait and submit -f outlive their coordinator, and say the gap once") {
  for (const char* const verb : {"wait", "submit"}) {
    World world;
    const Texts words = std::string(verb) == "wait"
                            ? Texts{"wait", "mnist", "-c", world.address()}
                            : Texts{"submit", world.JobFile(), "-f", "-c", world.address()};
    Process process(words);
    CAPTURE(verb);
    REQUIRE(Await([&] { return world.streams > 0; }));
    world.Kill();
    REQUIRE(Await([&] { return StrContains(process.err(), "jobs go on without it"); }));
    world.ComeBack([](client::FakeMethods& m) {
      m.watch = client::Sends<pb::GetJobRequest, pb::Job>({JobIn(pb::SUCCEEDED)});
    });
    CHECK(process.Wait() == 0);
    CHECK(Count(process.err(), "jobs go on without it") == 1);
    CHECK(Count(process.err(), "the coordinator is back") == 1);
    CHECK(StrContains(process.err(), "; jobs go on without it; waiting for it up to 10m 00s"));
  }
}

TEST_CASE("patience has an end: exit code 69, and how to go on is said") {
  World world;
  Process process({"wait", "mnist", "--patience", "300ms", "-c", world.address()});
  REQUIRE(Await([&] { return world.streams > 0; }));
  world.Kill();
  CHECK(process.Wait() == 69);
  CHECK(absl::EndsWith(process.err(),
                       "trainctl: the coordinator has been away for 300 ms; the same command goes "
                       "on when it is back\n"));
}

TEST_CASE("a submission whose answer was lost is asked for again under the same request id") {
  World world;
  Texts ids;
  std::atomic<bool> taken{false}, gone{false};
  world.methods().submit = [&](const pb::SubmitRequest& request, pb::SubmitReply*) {
    ids.push_back(request.request_id());
    taken = true;
    while (!gone) absl::SleepFor(absl::Milliseconds(1));  // killed before it answers
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
  };
  Process process({"submit", world.JobFile(), "-c", world.address()});
  REQUIRE(Await([&] { return taken.load(); }));
  gone = true;
  world.Kill();
  world.ComeBack([&](client::FakeMethods& m) {
    m.submit = [&](const pb::SubmitRequest& request, pb::SubmitReply* reply) {
      ids.push_back(request.request_id());
      reply->set_job_id(kId);
      return grpc::Status::OK;
    };
  });
  CHECK(process.Wait() == 0);
  CHECK(process.out() == "mnist-abc123\n");
  REQUIRE(ids.size() >= 2);
  for (const std::string& id : ids) CHECK(id == ids.front());
  CHECK_FALSE(ids.front().empty());
}

TEST_CASE("a Ctrl-C before the answer says that nobody knows") {
  World world;
  std::atomic<bool> asked{false}, over{false};
  world.methods().submit = [&](const pb::SubmitRequest&, pb::SubmitReply*) {
    asked = true;
    while (!over) absl::SleepFor(absl::Milliseconds(1));
    return grpc::Status::OK;
  };
  Process process({"submit", world.JobFile(), "-f", "-c", world.address()});
  REQUIRE(Await([&] { return asked.load(); }));
  process.Signal(SIGINT);
  CHECK(process.Wait() == 130);
  over = true;
  CHECK(process.out().empty());
  CHECK(process.err() ==
        "interrupted: whether the coordinator took the job is not known; 'trainctl list -a' shows "
        "it\n");
}

}  // namespace
}  // namespace rm::trainctl
