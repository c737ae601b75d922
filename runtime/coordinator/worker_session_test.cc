#include "runtime/coordinator/worker_session.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

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
  hello.set_probe("probe");
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
      {"other storage", [](pb::Hello& hello) { hello.set_probe("something else"); },
       absl::StatusCode::kFailedPrecondition, "StorageNotShared: "},
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
  world.Pass(absl::Seconds(3));
  CHECK(world.coordinator().workers().Find("w1") != nullptr);
  CHECK(world.coordinator().history().events().size() == events);
}

TEST_CASE("the first message, and only that, is Hello") {
  TestWorld world;
  SECTION("something else first") {
    const auto link = std::make_shared<FakeWorkerLink>();
    WorkerSession session(world.coordinator(), link);
    pb::WorkerMessage message;
    message.mutable_heartbeat();
    session.OnMessage(message);
    CHECK(absl::IsInvalidArgument(link->closed));
  }
  SECTION("a second Hello") {
    TestWorker worker(world, "w1", 1);
    worker.Say(HelloMessage(TestWorker::HelloOf("w1", 1)));
    CHECK(absl::IsInvalidArgument(worker.closed()));
    CHECK(world.coordinator().workers().Find("w1") == nullptr);
  }
}

TEST_CASE("a report becomes the event that it means") {
  pb::RankReport report;
  *report.mutable_rank() = RankOf("job", 2, 0);
  pb::RankMessage& message = *report.mutable_message();

  message.mutable_listening()->set_address("a:1");
  CHECK(EventOf(report).rank_listening().address() == "a:1");
  CHECK(EventOf(report).rank_listening().rank().generation() == 2);

  message.mutable_joined()->set_first_step(7);
  CHECK(EventOf(report).rank_joined().first_step() == 7);

  message.mutable_committed()->set_step(9);
  message.mutable_committed()->set_path("/x");
  (*message.mutable_committed()->mutable_metrics())["train/loss"] = 0.5;
  CHECK(EventOf(report).checkpoint_committed().step() == 9);
  CHECK(EventOf(report).checkpoint_committed().path() == "/x");
  CHECK(EventOf(report).checkpoint_committed().metrics().at("train/loss") == 0.5);

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

TEST_CASE("what is said of a job that nobody knows is dropped") {
  TestWorld world;
  TestWorker worker(world, "w1", 1);
  worker.Progresses("ghost", 1, 0, 5);
  CHECK(world.coordinator().live().Find("ghost") == nullptr);
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
  for (const pb::JobEvent& event : world.coordinator().history().events()) {
    const std::string& sentence = event.transition().reason().sentence();
    was_told = was_told || sentence.find("out of memory") != std::string::npos;
  }
  CHECK(was_told);
}

TEST_CASE("log chunks are handed on under the worker's name") {
  TestWorld world;
  TestWorker worker(world, "w1", 1);
  pb::WorkerMessage message;
  *message.mutable_log()->mutable_rank() = RankOf("job", 1, 0);
  message.mutable_log()->set_data("text");
  worker.Say(message);
  REQUIRE(world.logs.size() == 1);
  CHECK(world.logs[0].first == "w1");
  CHECK(world.logs[0].second.data() == "text");
}

}  // namespace
}  // namespace rm::coordinator
