#include "runtime/coordinator/worker_session.h"

#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "runtime/coordinator/test_world.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

pb::WorkerMessage HelloMessage(const pb::Hello& hello) {
  pb::WorkerMessage message;
  *message.mutable_hello() = hello;
  return message;
}

TEST_CASE("a worker that attaches is welcomed, and known with all it said of itself") {
  TestWorld world;
  pb::Hello hello = TestWorker::HelloOf("w1", 3);
  hello.set_version("0.1.9");
  (*hello.mutable_labels())["zone"] = "a";
  TestWorker worker(world, hello);
  REQUIRE(worker.link().sent.size() == 1);
  const pb::Welcome& welcome = worker.link().sent[0].welcome();
  CHECK(welcome.version() == "0.1.0");
  CHECK(welcome.storage() == world.coordinator().config().folders.storage);
  const scheduler::Worker* known = world.coordinator().state().FindWorker("w1");
  REQUIRE(known != nullptr);
  CHECK(known->slots.size() == 3);
  CHECK(known->host == "host-of-w1");
  CHECK(known->version == "0.1.9");
  CHECK(known->labels.at("zone") == "a");
}

TEST_CASE("a worker that may not attach is told why, and leaves no trace") {
  struct Case {
    const char* what;
    void (*spoil)(pb::Hello&);
    absl::StatusCode code;
    const char* message;
  };
  const Case cases[] = {
      {"no id", [](pb::Hello& hello) { hello.clear_worker_id(); },
       absl::StatusCode::kInvalidArgument, "the worker has no id"},
      {"another version", [](pb::Hello& hello) { hello.set_version("0.2.0"); },
       absl::StatusCode::kFailedPrecondition,
       "the worker is version '0.2.0', the coordinator is '0.1.0': use the same release on both"},
      {"no version", [](pb::Hello& hello) { hello.clear_version(); },
       absl::StatusCode::kFailedPrecondition, "the worker is version ''"},
      {"no slots", [](pb::Hello& hello) { hello.set_slots(0); },
       absl::StatusCode::kFailedPrecondition, "must have 1 to"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    TestWorld world;
    pb::Hello hello = TestWorker::HelloOf("w1", 1);
    c.spoil(hello);
    TestWorker worker(world, hello);
    CHECK(worker.closed().code() == c.code);
    CHECK(std::string(worker.closed().message()).find(c.message) != std::string::npos);
    CHECK(world.coordinator().state().workers().empty());
  }
}

TEST_CASE("an id that a living process holds is refused to another one") {
  TestWorld world;
  TestWorker first(world, "w1", 1);
  pb::Hello other = TestWorker::HelloOf("w1", 1);
  other.set_pid(200);
  {
    TestWorker second(world, other);
    CHECK(second.closed() ==
          absl::AlreadyExistsError("worker id 'w1' is in use by process 100 on host-of-w1: give "
                                   "this worker another --id"));
  }
  CHECK(first.closed().ok());

  // Its machine was restarted without a word: after a silence another process may have the id.
  world.Pass(absl::Seconds(2));
  TestWorker third(world, other);
  CHECK(third.closed().ok());
  CHECK(absl::IsAborted(first.closed()));
}

TEST_CASE("the same process may dial again before its old stream is known to be broken") {
  TestWorld world;
  TestWorker first(world, "w1", 1);
  TestWorker second(world, "w1", 1);
  CHECK(absl::IsAborted(first.closed()));
  // What still comes over the old stream is dropped, and its end changes nothing.
  const size_t events = world.coordinator().history().events().size();
  first.Listens("no-such-job", 1, 0);
  first.Breaks();
  for (int i = 0; i < 15; ++i) {
    world.Pass(absl::Milliseconds(200));
    second.Beats();
  }
  CHECK(world.coordinator().workers().Find("w1") != nullptr);
  CHECK(world.coordinator().history().events().size() == events);
}

TEST_CASE("the first message, and only that, is Hello") {
  TestWorld world;
  SECTION("something else first") {
    const auto link = std::make_shared<FakeWorkerLink>();
    const auto session = std::make_shared<WorkerSession>(world.coordinator(), link);
    pb::WorkerMessage message;
    message.mutable_heartbeat();
    session->OnMessage(message);
    CHECK(absl::IsInvalidArgument(link->closed));
  }
  SECTION("a second Hello") {
    TestWorker worker(world, "w1", 1);
    worker.Say(HelloMessage(TestWorker::HelloOf("w1", 1)));
    CHECK(absl::IsInvalidArgument(worker.closed()));
    CHECK(world.coordinator().workers().Find("w1") == nullptr);
  }
}

// ---- the probe of the storage -------------------------------------------------------------------

const StorageProbeFile kProbe = {"/shared/.probe-1", "7f3a"};

pb::WorkerMessage ProbeAnswer(const std::string& content, const std::string& problem = "") {
  pb::WorkerMessage message;
  message.mutable_storage_probe()->set_content(content);
  message.mutable_storage_probe()->set_problem(problem);
  return message;
}

// The problem with which the worker was attached; nullopt: it was not.
std::optional<std::string> ProblemOf(TestWorld& world, const std::string& id) {
  const AttachedWorkers::Attached* const attached = world.coordinator().workers().Find(id);
  if (world.coordinator().state().FindWorker(id) == nullptr || attached == nullptr) return {};
  return attached->storage_problem;
}

TEST_CASE("a worker is attached when it has read what was written to the storage") {
  TestWorld world(kProbe);
  TestWorker worker(world, "w1", 1);
  REQUIRE(worker.link().sent.size() == 1);
  CHECK(worker.link().sent[0].welcome().probe_path() == kProbe.path);
  CHECK(world.coordinator().state().FindWorker("w1") == nullptr);

  worker.Say(ProbeAnswer("7f3a"));
  CHECK(ProblemOf(world, "w1") == "");
  CHECK(world.coordinator().workers().Find("w1")->is_usable());
  worker.Say(ProbeAnswer("something else"));  // said twice: the first answer counts
  CHECK(worker.closed().ok());
  CHECK(world.coordinator().workers().Find("w1")->is_usable());
}

TEST_CASE("a worker that does not see the storage is attached with its problem, and gets no work") {
  struct Case {
    pb::WorkerMessage answer;
    std::string problem;
  };
  const Case cases[] = {
      {ProbeAnswer("1234"), "another folder there than on the coordinator"},
      {ProbeAnswer(""), "another folder there than on the coordinator"},
      {ProbeAnswer("", "No such file or directory"),
       "it cannot read /shared/.probe-1: No such file or directory"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.problem);
    TestWorld world(kProbe);
    TestWorker worker(world, "w1", 1);
    worker.Say(c.answer);
    CHECK(worker.closed().ok());
    CHECK(absl::StrContains(ProblemOf(world, "w1").value_or(""), c.problem));
    (void)worker.TakeCommands();
    world.Submit("mnist", 1, /*passes=*/false);
    world.Pass(absl::Seconds(1));
    CHECK(worker.TakeCommands().empty());  // not even a preflight
  }
}

TEST_CASE("a probe that takes too long is a problem, until its answer comes after all") {
  TestWorld world(kProbe);
  TestWorker worker(world, "w1", 1);
  for (int i = 0; i < 9; ++i) {
    world.Pass(absl::Milliseconds(200));
    worker.Beats();
  }
  CHECK(world.coordinator().state().FindWorker("w1") == nullptr);
  world.Pass(absl::Milliseconds(400));
  CHECK(absl::StrContains(ProblemOf(world, "w1").value_or(""), "longer than 2 s"));
  CHECK_FALSE(world.coordinator().workers().Find("w1")->is_usable());

  // The ranks it runs by now it knows better: it attaches anew, and says so itself.
  worker.Say(ProbeAnswer("7f3a"));
  CHECK(absl::IsAborted(worker.closed()));
  TestWorker again(world, "w1", 1);
  again.Say(ProbeAnswer("7f3a"));
  CHECK(ProblemOf(world, "w1") == "");
}

TEST_CASE("an answer to a coordinator before us is a problem until the one to us comes") {
  TestWorld world(kProbe);
  TestWorker worker(world, "w1", 1);
  worker.Say(ProbeAnswer("of-another-life"));
  CHECK_FALSE(world.coordinator().workers().Find("w1")->is_usable());
  worker.Say(ProbeAnswer("of-another-life"));
  CHECK(worker.closed().ok());
  worker.Say(ProbeAnswer("7f3a"));
  CHECK(absl::IsAborted(worker.closed()));
}

TEST_CASE("ranks that run are adopted whatever their worker reads, also what it says before") {
  for (const bool is_shared : {true, false}) {
    CAPTURE(is_shared);
    TestWorld world(kProbe);
    std::string job;
    {
      TestWorker w1(world, "w1", 2);
      w1.Say(ProbeAnswer("7f3a"));
      job = RunJob(world, w1, "mnist", 2);
    }
    world.Restart();
    TestWorker back(world, "w1", 2, {RankOf(job, 1, 0), RankOf(job, 1, 1)});
    back.Finishes(job, 1, 0, 100);  // held back until the worker is attached
    back.Exits(job, 1, 0, 0);
    CHECK(world.StateOf(job) == pb::RUNNING);
    back.Say(ProbeAnswer(is_shared ? "7f3a" : "1234"));
    CHECK(world.JobOf(job).training_done);
    back.Exits(job, 1, 1, 0);
    CHECK(world.StateOf(job) == pb::SUCCEEDED);
    CHECK(world.JobOf(job).generation == 1);
  }
}

TEST_CASE("a stream that ends while the probe is read leaves nothing behind") {
  TestWorld world(kProbe);
  {
    TestWorker worker(world, "w1", 1);
    worker.Breaks();
  }
  world.Pass(absl::Seconds(5));
  CHECK(world.coordinator().state().workers().empty());
  CHECK(world.coordinator().state().refusals().empty());
}

TEST_CASE("logs need not wait for the probe") {
  TestWorld world(kProbe);
  TestWorker worker(world, "w1", 1);
  const std::string job = world.Submit("mnist", 1, /*passes=*/false);
  pb::WorkerMessage message;
  *message.mutable_log()->mutable_rank() = RankOf(job, 1, 0);
  message.mutable_log()->set_data("text");
  worker.Say(message);
  CHECK(world.logs.size() == 1);
}

// ---- reports ------------------------------------------------------------------------------------

TEST_CASE("a report becomes the event that it means") {
  pb::RankReport report;
  *report.mutable_rank() = RankOf("job", 2, 0);
  pb::RankMessage& message = *report.mutable_message();

  message.mutable_listening()->set_address("a:1");
  CHECK(EventOf(report).rank_listening().address() == "a:1");
  CHECK(EventOf(report).rank_listening().rank().generation() == 2);

  message.mutable_joined()->set_first_step(7);
  CHECK(EventOf(report).rank_joined().first_step() == 7);
  CHECK_FALSE(EventOf(report).rank_joined().has_plan());
  message.mutable_joined()->mutable_plan()->set_fingerprint("ISA x");
  CHECK(EventOf(report).rank_joined().plan().fingerprint() == "ISA x");

  message.mutable_committed()->set_step(9);
  message.mutable_committed()->set_path("/x");
  (*message.mutable_committed()->mutable_metrics())["train/loss"] = 0.5;
  CHECK(EventOf(report).checkpoint_committed().step() == 9);
  CHECK(EventOf(report).checkpoint_committed().path() == "/x");
  CHECK(EventOf(report).checkpoint_committed().metrics().at("train/loss") == 0.5);

  message.mutable_notice()->set_step(5);
  message.mutable_notice()->mutable_reason()->set_code("CheckpointFailed");
  CHECK(EventOf(report).rank_notice().step() == 5);
  CHECK(EventOf(report).rank_notice().notice().code() == "CheckpointFailed");
  CHECK(EventOf(report).rank_notice().rank().generation() == 2);

  message.mutable_finished()->set_step(100);
  message.mutable_finished()->set_weights_sha256("cafe");
  CHECK(EventOf(report).training_done().step() == 100);
  CHECK(EventOf(report).training_done().weights_sha256() == "cafe");
}

TEST_CASE("some reports mean nothing to the scheduler") {
  pb::RankReport report;
  *report.mutable_rank() = RankOf("job", 1, 0);
  CHECK(EventOf(report).event_case() == pb::Event::EVENT_NOT_SET);
  report.mutable_message()->mutable_progress()->set_step(1);
  CHECK(EventOf(report).event_case() == pb::Event::EVENT_NOT_SET);
  report.mutable_message()->mutable_evaluated()->set_step(1);
  CHECK(EventOf(report).event_case() == pb::Event::EVENT_NOT_SET);
  // Who left early as asked has not trained to the end; of those who have, rank 0 speaks.
  report.mutable_message()->mutable_finished()->set_stopped(true);
  CHECK(EventOf(report).event_case() == pb::Event::EVENT_NOT_SET);
  report.mutable_message()->mutable_finished()->set_stopped(false);
  report.mutable_rank()->set_rank(1);
  CHECK(EventOf(report).event_case() == pb::Event::EVENT_NOT_SET);
}

TEST_CASE("what is said of a job or rank that nobody knows makes no entry, and breaks nothing") {
  TestWorld world;
  TestWorker worker(world, "w1", 1);
  worker.Progresses("ghost", 1, 0, 5);
  CHECK(world.coordinator().live().Find("ghost") == nullptr);

  const std::string job = RunJob(world, worker, "mnist", 1);
  for (const auto& [generation, rank] : {std::pair<int64_t, int32_t>{1, -1},
                                         {1, 7},
                                         {1, INT32_MAX},
                                         {1, INT32_MIN},
                                         {INT64_MAX, 0},
                                         {9, 0}}) {
    worker.Progresses(job, generation, rank, 5);
    worker.Listens(job, generation, rank);
    worker.Joins(job, generation, rank);
    worker.Exits(job, generation, rank, 1);
  }
  CHECK(world.StateOf(job) == pb::RUNNING);
  worker.Progresses(job, 1, 0, 6);
  CHECK(world.coordinator().View(job)->progress().step() == 6);
  CHECK(world.coordinator().live().Find(job)->ranks.size() == 1);
}

TEST_CASE("empty messages of every kind are survived") {
  TestWorld world;
  TestWorker worker(world, "w1", 1);
  const std::string job = RunJob(world, worker, "mnist", 1);
  std::vector<pb::WorkerMessage> messages(7);
  messages[1].mutable_heartbeat();
  messages[2].mutable_report();
  messages[3].mutable_exited();
  messages[4].mutable_log();
  messages[5].mutable_preflight();
  messages[6].mutable_refused();
  for (const pb::WorkerMessage& message : messages) worker.Say(message);
  CHECK(worker.closed().ok());
  CHECK(world.StateOf(job) == pb::RUNNING);
}

TEST_CASE("a start that the worker refuses reaches the scheduler") {
  TestWorld world;
  TestWorker worker(world, "w1", 1);
  const std::string job = world.Submit("mnist", 1);
  pb::WorkerMessage refused;
  *refused.mutable_refused()->mutable_rank() = RankOf(job, 1, 0);
  refused.mutable_refused()->mutable_cause()->set_code("StartFailed");
  refused.mutable_refused()->mutable_cause()->set_sentence("fork: out of memory");
  worker.Say(refused);
  bool was_told = false;
  for (const auto& [position, event] : world.coordinator().history().events()) {
    const std::string& sentence = event.transition().reason().sentence();
    was_told = was_told || sentence.find("out of memory") != std::string::npos;
  }
  CHECK(was_told);
}

TEST_CASE("log chunks are handed on under the worker's name, if they are of a job") {
  TestWorld world;
  TestWorker worker(world, "w1", 1);
  const std::string job = world.Submit("mnist", 1);
  pb::WorkerMessage message;
  *message.mutable_log()->mutable_rank() = RankOf(job, 1, 0);
  message.mutable_log()->set_data("text");
  worker.Say(message);
  message.mutable_log()->mutable_rank()->set_job_id("../../etc");
  worker.Say(message);
  REQUIRE(world.logs.size() == 1);
  CHECK(world.logs[0].first == "w1");
  CHECK(world.logs[0].second.data() == "text");
}

}  // namespace
}  // namespace rm::coordinator
