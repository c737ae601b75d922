#include "runtime/coordinator/executor.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/coordinator/fake_worker_link.h"
#include "runtime/coordinator/test_world.h"
#include "scheduler/core/scheduler.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// A scheduler that a test steps, workers that only remember, and the executor between them.
struct Hands {
  std::unique_ptr<scheduler::Scheduler> core =
      *scheduler::Scheduler::Create(scheduler::SchedulerOptions());
  AttachedWorkers workers;
  Preflights preflights{workers, [](const std::string&) { return true; }};
  std::map<std::string, std::shared_ptr<FakeWorkerLink>> links;
  std::vector<pb::Event> added;
  Executor executor{core->state(), workers, preflights, Folders{"/state", "/storage"},
                    [this](const pb::Event& event) { added.push_back(event); }};

  // Steps and returns the actions, which are not carried out.
  std::vector<pb::Action> Step(const pb::Event& event) {
    const auto result = core->Step({event}, absl::FromUnixSeconds(100));
    REQUIRE(result.record.refusals().empty());
    return {result.record.actions().begin(), result.record.actions().end()};
  }
  void Attach(const std::string& id, int32_t slots) {
    const pb::Hello hello = TestWorker::HelloOf(id, slots);
    links[id] = std::make_shared<FakeWorkerLink>();
    workers.Attach(hello, links[id]);
    workers.Admit(id, "");
    pb::Event event;
    event.mutable_worker_attached()->set_worker_id(id);
    event.mutable_worker_attached()->set_host(hello.host());
    event.mutable_worker_attached()->set_slots(slots);
    Step(event);
  }
  std::vector<pb::Action> Submit(const std::string& job_id, int32_t ranks,
                                 bool preflight_pending = false) {
    pb::Event event;
    event.mutable_submit()->set_job_id(job_id);
    *event.mutable_submit()->mutable_spec() = SpecOf(job_id, ranks);
    event.mutable_submit()->set_preflight_pending(preflight_pending);
    return Step(event);
  }
  std::vector<pb::Action> Listens(const std::string& job_id, int32_t rank) {
    pb::Event event;
    *event.mutable_rank_listening()->mutable_rank() = RankOf(job_id, 1, rank);
    event.mutable_rank_listening()->set_address("host:" + std::to_string(rank));
    return Step(event);
  }
  std::vector<pb::Action> Joins(const std::string& job_id, int32_t rank) {
    pb::Event event;
    *event.mutable_rank_joined()->mutable_rank() = RankOf(job_id, 1, rank);
    return Step(event);
  }
  void Act(const std::vector<pb::Action>& actions) {
    for (const pb::Action& action : actions) executor.Act(action);
  }
  std::vector<pb::WorkerCommand>& SentTo(const std::string& id) { return links[id]->sent; }
};

TEST_CASE("starting a gang tells each worker about its ranks, and each rank where it stands") {
  Hands hands;
  hands.Attach("w1", 2);
  hands.Attach("w2", 1);
  hands.Act(hands.Submit("a", 3));
  REQUIRE(hands.SentTo("w1").size() == 2);
  REQUIRE(hands.SentTo("w2").size() == 1);
  const pb::RankStart& second = hands.SentTo("w1")[1].start_rank().start();
  CHECK(second.rank().job_id() == "a");
  CHECK(second.rank().generation() == 1);
  CHECK(second.rank().rank() == 1);
  CHECK(second.world_size() == 3);
  CHECK(second.local_rank() == 1);
  CHECK(second.local_world_size() == 2);
  CHECK(second.spec().name() == "a");
  CHECK(second.checkpoint_folder() == "/storage/a");
  CHECK(second.listen_host() == "127.0.0.1");
  CHECK(second.advertise_host() == "127.0.0.1");
  CHECK(second.lineage().empty());
  CHECK(hands.SentTo("w1")[1].start_rank().slots_size() == 1);
  CHECK(hands.SentTo("w2")[0].start_rank().start().local_world_size() == 1);
}

TEST_CASE("the plan of the generation before goes to the ranks of the next") {
  Hands hands;
  hands.Attach("w1", 1);
  hands.Act(hands.Submit("a", 1));
  CHECK_FALSE(hands.SentTo("w1").back().start_rank().start().has_plan());  // it makes one
  hands.Act(hands.Listens("a", 0));
  pb::Event joined;
  *joined.mutable_rank_joined()->mutable_rank() = RankOf("a", 1, 0);
  joined.mutable_rank_joined()->mutable_plan()->set_threads(3);
  joined.mutable_rank_joined()->mutable_plan()->set_fingerprint("ISA x");
  hands.Act(hands.Step(joined));
  pb::Event exited;
  *exited.mutable_rank_exited()->mutable_rank() = RankOf("a", 1, 0);
  exited.mutable_rank_exited()->set_signal(9);
  hands.Act(hands.Step(exited));
  const pb::RankStart& next = hands.SentTo("w1").back().start_rank().start();
  REQUIRE(next.rank().generation() == 2);
  CHECK(next.plan().threads() == 3);
  CHECK(next.plan().fingerprint() == "ISA x");
}

TEST_CASE("a repeated start reaches only ranks of which nothing was heard") {
  Hands hands;
  hands.Attach("w1", 1);
  hands.Attach("w2", 1);
  const std::vector<pb::Action> start = hands.Submit("a", 2);
  hands.Act(start);
  hands.Listens("a", 0);
  hands.Act(start);
  CHECK(hands.SentTo("w1").size() == 1);
  CHECK(hands.SentTo("w2").size() == 2);
}

TEST_CASE("the peers are told once to each worker, and only where a rank has not joined") {
  Hands hands;
  hands.Attach("w1", 2);
  hands.Attach("w2", 1);
  hands.Submit("a", 3);
  hands.Listens("a", 0);
  hands.Listens("a", 1);
  const std::vector<pb::Action> together = hands.Listens("a", 2);
  hands.Act(together);
  REQUIRE(hands.SentTo("w1").size() == 1);
  REQUIRE(hands.SentTo("w2").size() == 1);
  CHECK(hands.SentTo("w1")[0].start_generation().peers_size() == 3);
  hands.Joins("a", 2);
  hands.Act(together);
  CHECK(hands.SentTo("w1").size() == 2);
  CHECK(hands.SentTo("w2").size() == 1);
}

TEST_CASE("stopping a gang reaches the ranks that still live, with grace and checkpoint") {
  Hands hands;
  hands.Attach("w1", 1);
  hands.Attach("w2", 1);
  hands.Submit("a", 2);
  for (int32_t rank : {0, 1}) hands.Listens("a", rank);
  for (int32_t rank : {0, 1}) hands.Joins("a", rank);
  pb::Event cancel;
  cancel.mutable_cancel()->set_job_id("a");
  const std::vector<pb::Action> stop = hands.Step(cancel);
  hands.Act(stop);
  REQUIRE(hands.SentTo("w1").size() == 1);
  CHECK(hands.SentTo("w1")[0].stop_rank().grace_seconds() == 30);
  CHECK(hands.SentTo("w1")[0].stop_rank().checkpoint());
  pb::Event exited;
  *exited.mutable_rank_exited()->mutable_rank() = RankOf("a", 1, 0);
  hands.Step(exited);
  hands.Act(stop);
  CHECK(hands.SentTo("w1").size() == 1);
  CHECK(hands.SentTo("w2").size() == 2);
}

TEST_CASE("actions of a generation that has passed, or of no job, do nothing") {
  Hands hands;
  hands.Attach("w1", 1);
  hands.Submit("a", 1);
  pb::Action old_stop;
  old_stop.mutable_stop_gang()->set_job_id("a");
  old_stop.mutable_stop_gang()->set_generation(7);
  pb::Action unknown_start;
  unknown_start.mutable_start_gang()->set_job_id("ghost");
  pb::Action unknown_together;
  unknown_together.mutable_start_generation()->set_job_id("ghost");
  pb::Action unknown_preflight;
  unknown_preflight.mutable_run_preflight()->set_job_id("ghost");
  hands.Act({old_stop, unknown_start, unknown_together, unknown_preflight});
  CHECK(hands.SentTo("w1").empty());
  CHECK(hands.preflights.open() == 0);
}

TEST_CASE("a rank that nobody knows is stopped at once") {
  Hands hands;
  hands.Attach("w1", 1);
  pb::Action stop;
  stop.mutable_stop_rank()->set_worker_id("w1");
  *stop.mutable_stop_rank()->mutable_rank() = RankOf("ghost", 3, 1);
  hands.Act({stop});
  REQUIRE(hands.SentTo("w1").size() == 1);
  const pb::StopRankCommand& sent = hands.SentTo("w1")[0].stop_rank();
  CHECK(sent.rank().job_id() == "ghost");
  CHECK(sent.rank().generation() == 3);
  CHECK(sent.grace_seconds() == 0);
  CHECK_FALSE(sent.checkpoint());
  CHECK_FALSE(sent.dump_stack());
}

TEST_CASE("the stop of a rank that hangs asks for its stacks and says why") {
  Hands hands;
  hands.Attach("w1", 1);
  pb::Action action;
  pb::StopRank& stop = *action.mutable_stop_rank();
  stop.set_worker_id("w1");
  stop.mutable_rank()->set_job_id("a");
  stop.set_dump_stack(true);
  stop.mutable_reason()->set_code("RankHung");
  stop.mutable_reason()->set_sentence("rank 0 hangs");
  hands.Act({action});
  REQUIRE(hands.SentTo("w1").size() == 1);
  const pb::StopRankCommand& sent = hands.SentTo("w1")[0].stop_rank();
  CHECK(sent.dump_stack());
  CHECK(sent.reason().code() == "RankHung");
  CHECK(sent.reason().sentence() == "rank 0 hangs");
}

TEST_CASE("a command to a worker whose stream is broken is dropped") {
  Hands hands;
  hands.Attach("w1", 1);
  hands.Attach("w2", 1);
  REQUIRE(hands.workers.Detach("w1", hands.links["w1"].get()));
  hands.Act(hands.Submit("a", 2));
  CHECK(hands.SentTo("w1").empty());
  CHECK(hands.SentTo("w2").size() == 1);
}

TEST_CASE("a preflight asks with all that a worker needs, and its verdict becomes an event") {
  Hands hands;
  hands.Attach("w1", 1);
  hands.Act(hands.Submit("a", 1, /*preflight_pending=*/true));
  hands.preflights.Check(absl::Seconds(1));
  REQUIRE(hands.SentTo("w1").size() == 1);
  const pb::PreflightRequest& request = hands.SentTo("w1")[0].preflight();
  CHECK(request.job_id() == "a");
  CHECK(request.spec().name() == "a");
  CHECK(request.checkpoint_folder() == "/storage/a");

  pb::PreflightReport report;
  report.set_job_id("a");
  report.add_errors("no such file");
  REQUIRE(hands.preflights.OnReport("w1", report));
  REQUIRE(hands.added.size() == 1);
  CHECK(hands.added[0].preflight().job_id() == "a");
  CHECK(hands.added[0].preflight().errors(0) == "no such file");
}

TEST_CASE("a preflight whose verdict is in is not asked again") {
  Hands hands;
  hands.Attach("w1", 1);
  const std::vector<pb::Action> ask = hands.Submit("a", 1, /*preflight_pending=*/true);
  pb::Event verdict;
  verdict.mutable_preflight()->set_job_id("a");
  hands.Step(verdict);
  hands.Act(ask);
  CHECK(hands.preflights.open() == 0);
}

}  // namespace
}  // namespace rm::coordinator
