#include "scheduler/state/cluster_state.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "scheduler/state/dump.h"
#include "scheduler/state/transition_check.h"

namespace rm::scheduler {
namespace {

int64_t Equal(const Job& /*job*/) { return 0; }

pb::JobTransition Submitted(const std::string& id) {
  pb::JobTransition transition;
  transition.set_job_id(id);
  transition.set_to(pb::QUEUED);
  transition.mutable_submission()->set_job_id(id);
  return transition;
}

void AddRank(pb::JobTransition& transition, const std::string& worker, int slot) {
  pb::Placement& placement = *transition.add_placement();
  placement.set_rank(transition.placement_size() - 1);
  placement.set_worker_id(worker);
  placement.add_slots(slot);
}

// Job `id` starts as generation 1; the placement is added by the test.
pb::JobTransition Starts(const std::string& id) {
  pb::JobTransition transition;
  transition.set_job_id(id);
  transition.set_from(pb::QUEUED);
  transition.set_to(pb::STARTING);
  transition.set_gang_phase(pb::COMING_UP);
  transition.set_generation(1);
  return transition;
}

pb::JobTransition Moves(const std::string& id, pb::JobState from, pb::JobState to) {
  pb::JobTransition transition;
  transition.set_job_id(id);
  transition.set_from(from);
  transition.set_to(to);
  transition.set_generation(1);
  return transition;
}

pb::WorkerTransition Ready(const std::string& id, int slots,
                           pb::WorkerState from = pb::WORKER_STATE_UNSPECIFIED) {
  pb::WorkerTransition transition;
  transition.set_worker_id(id);
  transition.set_from(from);
  transition.set_to(pb::READY);
  transition.set_slots(slots);
  transition.set_host("h-" + id);
  return transition;
}

pb::WorkerTransition Becomes(const std::string& id, pb::WorkerState from, pb::WorkerState to) {
  pb::WorkerTransition transition;
  transition.set_worker_id(id);
  transition.set_from(from);
  transition.set_to(to);
  return transition;
}

// Workers w1 with 2 slots and w2 with 1, and a queued job "a".
struct Fixture {
  Fixture() : state(&Equal, Windows()) {
    Apply(Ready("w1", 2));
    Apply(Ready("w2", 1));
    Apply(Submitted("a"));
  }
  template <typename Transition>
  void Apply(const Transition& transition) {
    const absl::Status status = state.Apply(transition);
    INFO(status);
    REQUIRE(status.ok());
  }
  // Rank 0 on w1, rank 1 on w2.
  void StartA() {
    pb::JobTransition starts = Starts("a");
    AddRank(starts, "w1", 1);
    AddRank(starts, "w2", 0);
    Apply(starts);
  }
  ClusterState state;
};

TEST_CASE_METHOD(Fixture, "a submitted job stands in the queue, in order of submission") {
  Apply(Submitted("b"));
  CHECK(state.queue().First() == state.FindJob("a"));
  CHECK(state.queue().After(*state.FindJob("a")) == state.FindJob("b"));
  CHECK(state.FindJob("b")->sequence == 2);
  CHECK(state.FindJob("c") == nullptr);
}

TEST_CASE_METHOD(Fixture, "a job that waits for its preflight enters the queue with the verdict") {
  pb::JobTransition submitted = Submitted("b");
  submitted.mutable_submission()->set_preflight_pending(true);
  Apply(submitted);
  CHECK(state.queue().size() == 1);
  pb::Event verdict;
  verdict.mutable_preflight()->set_job_id("b");
  state.Apply(verdict);
  CHECK(state.queue().size() == 2);
}

TEST_CASE_METHOD(Fixture, "a placed job holds its slots and leaves the queue") {
  StartA();
  CHECK(state.queue().size() == 0);
  CHECK(state.FindWorker("w1")->free_slots == 1);
  CHECK(state.FindWorker("w1")->slots[1].holder == state.FindJob("a"));
  CHECK(state.FindWorker("w2")->slots[0].rank == 1);
  CHECK(state.free_slots().total() == 1);
}

TEST_CASE_METHOD(Fixture, "slots are free again when the job leaves its gang") {
  StartA();
  pb::JobTransition stop = Moves("a", pb::STARTING, pb::STOPPING);
  stop.set_stop_target(pb::CANCELLED);
  Apply(stop);
  CHECK(state.free_slots().total() == 1);
  Apply(Moves("a", pb::STOPPING, pb::CANCELLED));
  CHECK(state.free_slots().total() == 3);
}

TEST_CASE_METHOD(Fixture, "a lost worker takes its ranks and its slots away") {
  StartA();
  Apply(Becomes("w2", pb::READY, pb::LOST));
  CHECK(state.FindJob("a")->gang[1].gone());
  CHECK(state.FindJob("a")->living_ranks == 1);
  CHECK(state.FindWorker("w2")->slots[0].free());
  CHECK(state.free_slots().total() == 1);
}

TEST_CASE_METHOD(Fixture, "a worker that comes back with other slots begins anew") {
  Apply(Becomes("w2", pb::READY, pb::LOST));
  Apply(Ready("w2", 4, pb::LOST));
  CHECK(state.FindWorker("w2")->slots.size() == 4);
  CHECK(state.FindWorker("w2")->ordinal == 2);
  CHECK(state.free_slots().total() == 6);
}

TEST_CASE_METHOD(Fixture, "an absent worker keeps its holders and has a deadline") {
  StartA();
  state.AdvanceTo(absl::FromUnixSeconds(100));
  pb::WorkerTransition absent = Becomes("w1", pb::READY, pb::ABSENT);
  absent.set_time_ns(100'000'000'000);
  Apply(absent);
  CHECK(state.FindWorker("w1")->slots[1].holder == state.FindJob("a"));
  CHECK(state.free_slots().total() == 0);
  CHECK(state.next_deadline() == absl::FromUnixSeconds(130));
  Apply(Ready("w1", 2, pb::ABSENT));
  CHECK(state.next_deadline() == absl::InfiniteFuture());
  CHECK(state.free_slots().total() == 1);
}

TEST_CASE_METHOD(Fixture, "every change of the workers changes the version of the capacity") {
  const int64_t before = state.capacity_version();
  StartA();
  CHECK(state.capacity_version() == before);
  Apply(Becomes("w2", pb::READY, pb::LOST));
  CHECK(state.capacity_version() == before + 1);
}

TEST_CASE_METHOD(Fixture, "the earliest deadline of all is the next") {
  pb::JobTransition b = Submitted("b");
  b.mutable_submission()->mutable_spec()->mutable_scheduling()->set_queue_timeout(50);
  Apply(b);
  pb::JobTransition c = Submitted("c");
  c.mutable_submission()->mutable_spec()->mutable_scheduling()->set_queue_timeout(20);
  Apply(c);
  CHECK(state.next_deadline() == absl::FromUnixSeconds(20));
  pb::JobTransition gone = Moves("c", pb::QUEUED, pb::CANCELLED);
  gone.set_generation(0);
  Apply(gone);
  CHECK(state.next_deadline() == absl::FromUnixSeconds(50));
}

TEST_CASE_METHOD(Fixture, "time never runs backwards") {
  state.AdvanceTo(absl::FromUnixSeconds(100));
  state.AdvanceTo(absl::FromUnixSeconds(90));
  CHECK(state.now() == absl::FromUnixSeconds(100));
}

TEST_CASE_METHOD(Fixture, "refusals are counted by their code") {
  pb::Refusal refusal;
  refusal.mutable_reason()->set_code("UnknownJob");
  state.Apply(refusal);
  state.Apply(refusal);
  CHECK(state.refusals().at("UnknownJob") == 2);
}

TEST_CASE_METHOD(Fixture, "a transition that does not follow from the state is refused, with why") {
  StartA();
  struct Row {
    std::string says;
    std::function<pb::JobTransition()> make;
  };
  const auto changed = [](pb::JobTransition transition, auto change) {
    change(transition);
    return transition;
  };
  const auto next = [] {
    pb::JobTransition transition = Moves("a", pb::STARTING, pb::STARTING);
    transition.set_generation(2);
    transition.set_gang_phase(pb::COMING_UP);
    return transition;
  };
  const Row kRows[] = {
      {"exists already", [] { return Submitted("a"); }},
      {"submission is missing",
       [&] { return changed(Submitted("b"), [](auto& t) { t.clear_submission(); }); }},
      {"no such job", [] { return Moves("b", pb::QUEUED, pb::PAUSED); }},
      {"the job is Starting", [] { return Moves("a", pb::RUNNING, pb::SUCCEEDED); }},
      {"no such arrow", [] { return Moves("a", pb::STARTING, pb::SUCCEEDED); }},
      {"and only then", [&] { return next(); }},
      {"belongs to Starting and Recovering", [] { return Moves("a", pb::STARTING, pb::STARTING); }},
      {"generation 3 after 1",
       [&] {
         return changed(next(), [](auto& t) {
           AddRank(t, "w1", 1);
           t.set_generation(3);
         });
       }},
      {"cannot become New", [] { return Moves("a", pb::STARTING, pb::STOPPING); }},
      {"cannot become Stopping",
       [&] {
         return changed(Moves("a", pb::STARTING, pb::STOPPING),
                        [](auto& t) { t.set_stop_target(pb::STOPPING); });
       }},
      {"worker w9 is not Ready",
       [&] { return changed(next(), [](auto& t) { AddRank(t, "w9", 0); }); }},
      {"worker w1 has no slot 2",
       [&] { return changed(next(), [](auto& t) { AddRank(t, "w1", 2); }); }},
      {"a slot is given to two ranks",
       [&] {
         return changed(next(), [](auto& t) {
           AddRank(t, "w1", 0);
           AddRank(t, "w1", 0);
         });
       }},
      {"rank 7 stands at 0",
       [&] {
         return changed(next(), [](auto& t) {
           AddRank(t, "w1", 0);
           t.mutable_placement(0)->set_rank(7);
         });
       }},
  };
  const std::string before = Dump(state);
  for (const Row& row : kRows) {
    const absl::Status status = state.Apply(row.make());
    INFO(row.says << " / " << status);
    CHECK(absl::IsInvalidArgument(status));
    CHECK(absl::StrContains(status.message(), row.says));
    CHECK(Dump(state) == before);
  }
}

TEST_CASE_METHOD(Fixture, "a slot of another job cannot be taken") {
  StartA();
  Apply(Submitted("b"));
  pb::JobTransition starts = Starts("b");
  AddRank(starts, "w1", 1);
  const absl::Status status = state.Apply(starts);
  CHECK(absl::StrContains(status.message(), "slot 1 of worker w1 is held by job a"));
}

TEST_CASE_METHOD(Fixture, "a worker's transition must follow from its state") {
  StartA();
  struct Row {
    std::string says;
    pb::WorkerTransition transition;
  };
  const Row kRows[] = {
      {"it is Ready", Becomes("w1", pb::ABSENT, pb::LOST)},
      {"it is New", Becomes("w9", pb::READY, pb::LOST)},
      {"it is Ready", Becomes("w1", pb::SUSPECT, pb::ABSENT)},
      {"it is New", Becomes("w9", pb::LOST, pb::ABSENT)},
      {"it is New", Becomes("w9", pb::WORKER_STATE_UNSPECIFIED, pb::SUSPECT)},
      {"it is Ready", Becomes("w1", pb::READY, pb::WORKER_STATE_UNSPECIFIED)},
      {"while some are held", Ready("w1", 4, pb::READY)},
      {"0 slots", Ready("w3", 0)},
      {"4097 slots", Ready("w3", 4097)},
  };
  const std::string before = Dump(state);
  for (const Row& row : kRows) {
    const absl::Status status = state.Apply(row.transition);
    INFO(row.says << " / " << status);
    CHECK(absl::IsInvalidArgument(status));
    CHECK(absl::StrContains(status.message(), row.says));
    CHECK(Dump(state) == before);
  }
}

TEST_CASE_METHOD(Fixture, "facts need the job and the rank they tell of") {
  StartA();
  const auto joined = [](const std::string& job, int rank) {
    pb::Event event;
    event.mutable_rank_joined()->mutable_rank()->set_job_id(job);
    event.mutable_rank_joined()->mutable_rank()->set_rank(rank);
    return event;
  };
  CHECK(CheckFacts(state, joined("a", 1)).ok());
  CHECK(CheckFacts(state, pb::Event()).ok());
  CHECK(absl::StrContains(CheckFacts(state, joined("b", 0)).message(), "job b"));
  CHECK(absl::StrContains(CheckFacts(state, joined("a", 2)).message(), "which has 2 ranks"));
  CHECK(absl::StrContains(CheckFacts(state, joined("a", -1)).message(), "rank -1"));
}

TEST_CASE_METHOD(Fixture, "a slot is held by one rank of one job") {
  StartA();
  const Job& a = *state.FindJob("a");
  const Worker& w1 = *state.FindWorker("w1");
  CHECK(HoldsSlot(w1, 1, a, 0));
  CHECK_FALSE(HoldsSlot(w1, 1, a, 1));
  CHECK_FALSE(HoldsSlot(w1, 0, a, 0));
  CHECK_FALSE(HoldsSlot(w1, 5, a, 0));
  CHECK_FALSE(HoldsSlot(w1, -1, a, 0));
}

// ---- silent workers, and such without the storage ---------------------------------------------

TEST_CASE_METHOD(Fixture, "a suspect keeps its holders, counts, and gives no slot away") {
  StartA();
  Apply(Becomes("w1", pb::READY, pb::SUSPECT));
  CHECK(state.free_slots().total() == 0);
  CHECK(state.capacity() == std::map<int32_t, int64_t>{{1, 1}, {2, 1}});
  CHECK(state.FindWorker("w1")->slots[1].holder == state.FindJob("a"));
  CHECK(state.worker_deadlines().empty());

  Apply(Submitted("b"));
  pb::JobTransition starts = Starts("b");
  AddRank(starts, "w1", 0);
  CHECK(absl::StrContains(state.Apply(starts).message(), "worker w1 is not Ready"));

  Apply(Ready("w1", 2, pb::SUSPECT));
  CHECK(state.free_slots().total() == 1);
  Apply(starts);
}

TEST_CASE_METHOD(Fixture, "from a suspect there is a way to each other state") {
  for (const pb::WorkerState to : {pb::READY, pb::ABSENT, pb::LOST}) {
    Apply(Becomes("w2", pb::READY, pb::SUSPECT));
    Apply(to == pb::READY ? Ready("w2", 1, pb::SUSPECT) : Becomes("w2", pb::SUSPECT, to));
    CHECK(state.FindWorker("w2")->state == to);
    if (to != pb::READY) Apply(Ready("w2", 1, to));
  }
  for (const pb::WorkerState from : {pb::ABSENT, pb::LOST}) {
    Apply(Becomes("w2", state.FindWorker("w2")->state, from));
    CHECK_FALSE(state.Apply(Becomes("w2", from, pb::SUSPECT)).ok());
  }
}

// Else a coordinator that is restarted twice gives up workers that it never waited for.
TEST_CASE_METHOD(Fixture, "each start of the coordinator gives an absent worker its whole time") {
  pb::WorkerTransition absent = Becomes("w1", pb::READY, pb::ABSENT);
  absent.set_time_ns(100'000'000'000);
  Apply(absent);
  CHECK(state.next_deadline() == absl::FromUnixSeconds(130));
  absent = Becomes("w1", pb::ABSENT, pb::ABSENT);
  absent.set_time_ns(120'000'000'000);
  Apply(absent);
  CHECK(state.next_deadline() == absl::FromUnixSeconds(150));
  CHECK(state.worker_deadlines().size() == 1);
}

TEST_CASE_METHOD(Fixture, "a worker without the storage keeps its ranks, and does not count") {
  StartA();
  pb::WorkerTransition apart = Ready("w1", 2, pb::READY);
  apart.set_storage_problem("not mounted");
  Apply(apart);
  CHECK(state.FindWorker("w1")->storage_problem == "not mounted");
  CHECK(state.FindWorker("w1")->slots[1].holder == state.FindJob("a"));
  CHECK(state.free_slots().total() == 0);
  CHECK(state.capacity() == std::map<int32_t, int64_t>{{1, 1}});
  Apply(Becomes("w1", pb::READY, pb::ABSENT));
  CHECK(state.capacity() == std::map<int32_t, int64_t>{{1, 1}});
  Apply(Ready("w1", 2, pb::ABSENT));
  CHECK(state.free_slots().total() == 1);
  CHECK(state.capacity() == std::map<int32_t, int64_t>{{1, 1}, {2, 1}});
}

// ---- notices ----------------------------------------------------------------------------------

TEST_CASE_METHOD(Fixture, "a notice changes nothing, whatever it carries") {
  StartA();
  const std::string before = Dump(state);
  pb::JobTransition notice = Moves("a", pb::STARTING, pb::STARTING);
  notice.set_notice(true);
  notice.mutable_reason()->set_code("CheckpointFailed");
  notice.set_restarts(7);
  notice.set_time_ns(99'000'000'000);
  notice.set_deadline_ns(99'000'000'000);
  Apply(notice);
  CHECK(Dump(state) == before);
}

// Only a damaged journal holds such.
TEST_CASE_METHOD(Fixture, "a notice that would change something is refused") {
  StartA();
  const auto notice = [](const std::string& id, pb::JobState from, pb::JobState to) {
    pb::JobTransition transition = Moves(id, from, to);
    transition.set_notice(true);
    return transition;
  };
  pb::JobTransition placed = notice("a", pb::STARTING, pb::STARTING);
  AddRank(placed, "w1", 0);
  pb::JobTransition other = notice("a", pb::STARTING, pb::STARTING);
  other.set_generation(2);
  const pb::JobTransition kWrong[] = {
      notice("a", pb::STARTING, pb::RUNNING),
      notice("a", pb::RUNNING, pb::RUNNING),
      notice("ghost", pb::QUEUED, pb::QUEUED),
      notice("new", pb::JOB_STATE_UNSPECIFIED, pb::JOB_STATE_UNSPECIFIED),
      placed,
      other,
  };
  for (const pb::JobTransition& wrong : kWrong) {
    INFO(wrong.ShortDebugString());
    CHECK(absl::IsInvalidArgument(state.Apply(wrong)));
  }
}

// ---- what is forgotten ------------------------------------------------------------------------

// A state that keeps little.
struct Forgetful {
  explicit Forgetful(const Retention& retention) : state(&Equal, Windows(), retention) {}
  template <typename Transition>
  void Apply(const Transition& transition) {
    const absl::Status status = state.Apply(transition);
    INFO(status);
    REQUIRE(status.ok());
  }
  void End(const std::string& id) {
    pb::JobTransition cancelled = Moves(id, pb::QUEUED, pb::CANCELLED);
    cancelled.set_generation(0);
    Apply(cancelled);
  }
  std::string Jobs() const {
    std::string ids;
    for (const auto& [id, job] : state.jobs()) ids += id;
    return ids;
  }
  std::string Workers() const {
    std::string ids;
    for (const auto& [id, worker] : state.workers()) ids += id;
    return ids;
  }
  ClusterState state;
};

TEST_CASE("of the jobs that ended the last ones are kept, in the order of their ends") {
  Forgetful world({2, 0});
  for (const char* id : {"a", "b", "c", "d", "e"}) world.Apply(Submitted(id));
  for (const char* id : {"d", "a", "c"}) world.End(id);
  INFO("until the record ends nothing is erased");
  CHECK(world.Jobs() == "abcde");
  world.state.Forget();
  CHECK(world.Jobs() == "abce");
  world.End("b");
  world.End("e");
  world.state.Forget();
  CHECK(world.Jobs() == "be");
  INFO("a number is given once: an id that is taken again stands behind all others");
  world.Apply(Submitted("a"));
  CHECK(world.state.FindJob("a")->sequence == 6);
}

TEST_CASE("a job that ends twice under one id is kept as the second one") {
  Forgetful world({2, 0});
  world.Apply(Submitted("a"));
  world.End("a");
  INFO("as in a journal of one who had forgotten it");
  world.Apply(Submitted("a"));
  CHECK(world.state.FindJob("a")->state == pb::QUEUED);
  CHECK(world.state.queue().First() == world.state.FindJob("a"));
  world.Apply(Submitted("b"));
  world.Apply(Submitted("c"));
  for (const char* id : {"b", "a", "c"}) world.End(id);
  world.state.Forget();
  CHECK(world.Jobs() == "ac");
}

TEST_CASE("a job that has not ended is never forgotten, nor taken for another") {
  Forgetful world({0, 0});
  world.Apply(Submitted("a"));
  world.state.Forget();
  CHECK(world.Jobs() == "a");
  CHECK_FALSE(world.state.Apply(Submitted("a")).ok());
}

TEST_CASE("of the workers that were lost the last ones are kept, one that is back is not lost") {
  Forgetful world({0, 1});
  for (const char* id : {"w1", "w2", "w3"}) world.Apply(Ready(id, 1));
  for (const char* id : {"w1", "w2"}) world.Apply(Becomes(id, pb::READY, pb::LOST));
  world.Apply(Ready("w1", 1, pb::LOST));
  world.state.Forget();
  CHECK(world.Workers() == "w1w2w3");
  world.Apply(Becomes("w3", pb::READY, pb::LOST));
  world.state.Forget();
  CHECK(world.Workers() == "w1w3");
  INFO("the one that was forgotten is new, or lost still, as one likes");
  world.Apply(Ready("w2", 1, pb::LOST));
  CHECK(world.state.FindWorker("w2")->ordinal == 4);
  world.Apply(Ready("w3", 1));
  CHECK(world.state.FindWorker("w3")->ordinal == 3);
}

// The ranks of a gang name their workers for as long as the generation lasts.
TEST_CASE("a gang may outlive the memory of a worker that it lost") {
  Forgetful world({0, 0});
  world.Apply(Ready("w1", 1));
  world.Apply(Ready("w2", 1));
  world.Apply(Submitted("a"));
  pb::JobTransition starts = Starts("a");
  AddRank(starts, "w1", 0);
  AddRank(starts, "w2", 0);
  world.Apply(starts);
  world.Apply(Becomes("w1", pb::READY, pb::LOST));
  world.state.Forget();
  CHECK(world.Workers() == "w2");
  CHECK(world.state.FindJob("a")->living_ranks == 1);
  world.Apply(Moves("a", pb::STARTING, pb::QUEUED));
  CHECK(world.state.free_slots().total() == 1);
}

}  // namespace
}  // namespace rm::scheduler
