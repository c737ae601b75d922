// Random worlds: workers, ranks and people that do what they may do, and often what they may not.
// After each step the invariants hold, and the records folded into another scheduler give the same
// state.
#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/core/scheduler.h"
#include "scheduler/policy/policy.h"
#include "scheduler/state/dump.h"
#include "scheduler/state/job_state.h"
#include "tests/scenario/random_world.h"

namespace rm::scheduler {
namespace {

using scenario::RandomWorld;

constexpr int kSteps = 400;

// ---- invariants -----------------------------------------------------------------------------

// Slots that are held, by job and rank, as the workers know it.
using Held = std::map<std::pair<std::string, int>, std::set<std::pair<std::string, int>>>;

Held HeldSlots(const ClusterState& state) {
  Held held;
  for (const auto& [id, worker] : state.workers()) {
    int free = 0;
    for (size_t slot = 0; slot < worker.slots.size(); ++slot) {
      const Slot& one = worker.slots[slot];
      free += one.free() ? 1 : 0;
      if (!one.free()) held[{one.holder->id(), one.rank}].insert({id, static_cast<int>(slot)});
    }
    REQUIRE(free == worker.free_slots);
    if (worker.state == pb::LOST) REQUIRE(free == static_cast<int>(worker.slots.size()));
  }
  return held;
}

std::set<std::pair<std::string, int>> SlotsOf(const GangRank& rank) {
  std::set<std::pair<std::string, int>> slots;
  for (const int slot : rank.where.slots()) slots.insert({rank.where.worker_id(), slot});
  return slots;
}

void CheckGang(const Job& job, Held& held) {
  const bool whole = job.Together();
  int living = 0;
  for (const GangRank& rank : job.gang) {
    living += rank.gone() ? 0 : 1;
    const auto mine = held.find({job.id(), rank.where.rank()});
    if (mine == held.end()) {
      INFO(
          "a rank without slots is gone; in a gang that is together it left by itself, or the "
          "training is done");
      REQUIRE((rank.gone() && (!whole || rank.exited || job.training_done)));
      continue;
    }
    INFO("a rank holds what its placement says, all of it, in a state that may hold slots");
    REQUIRE(mine->second == SlotsOf(rank));
    REQUIRE(MayHoldSlots(job.state));
    held.erase(mine);
  }
  REQUIRE(living == job.living_ranks);
  if (living > 0) REQUIRE(MayHoldSlots(job.state));
}

void CheckInvariants(const ClusterState& state, absl::Time now) {
  Held held = HeldSlots(state);
  for (const auto& [id, job] : state.jobs()) {
    INFO("job " << id << " " << StateName(job.state));
    CheckGang(job, held);
  }
  INFO("no slot is held by a rank that is not of its holder's gang");
  REQUIRE(held.empty());
  INFO("no timer is overdue");
  REQUIRE(state.next_deadline() > now);
}

// Ended jobs and generations as they were; they may not change back.
class History {
 public:
  void Check(const ClusterState& state) {
    for (const auto& [id, job] : state.jobs()) {
      if (ended_.count(id) > 0) REQUIRE(job.state == ended_[id]);
      if (IsEnded(job.state) && ended_.count(id) == 0) ++ended_count_;
      if (IsEnded(job.state)) ended_[id] = job.state;
      REQUIRE(job.generation >= generation_[id]);
      generation_[id] = job.generation;
    }
    // Of a job that was forgotten nothing is known: its id may be taken again.
    for (auto known = generation_.begin(); known != generation_.end();) {
      const bool kept = state.FindJob(known->first) != nullptr;
      if (!kept) ended_.erase(known->first);
      known = kept ? std::next(known) : generation_.erase(known);
    }
  }
  size_t ended() const { return ended_count_; }

 private:
  std::map<std::string, pb::JobState> ended_;
  size_t ended_count_ = 0;
  std::map<std::string, int64_t> generation_;
};

// No more than the retention says is kept of the past.
void CheckRetention(const ClusterState& state, const Retention& retention) {
  int64_t ended = 0;
  int64_t lost = 0;
  for (const auto& [id, job] : state.jobs()) ended += IsEnded(job.state) ? 1 : 0;
  for (const auto& [id, worker] : state.workers()) lost += worker.state == pb::LOST ? 1 : 0;
  REQUIRE(ended <= retention.ended_jobs);
  REQUIRE(lost <= retention.lost_workers);
}

void CheckReasons(const pb::JournalRecord& record) {
  for (const auto& transition : record.job_transitions()) {
    if (!transition.notice()) REQUIRE(IsLegal(transition.from(), transition.to()));
    REQUIRE(!transition.reason().code().empty());
    REQUIRE(!transition.reason().sentence().empty());
  }
  const auto codes = RefusalCodes();
  for (const auto& refusal : record.refusals()) {
    REQUIRE(std::find(codes.begin(), codes.end(), refusal.reason().code()) != codes.end());
  }
}

// Half of the worlds forget soon.
SchedulerOptions OptionsOf(uint64_t seed) {
  SchedulerOptions options;
  const auto policies = scheduler::Policies();
  options.policy = std::string(policies[seed % policies.size()].name);
  if (seed % 4 >= 2) options.retention = {static_cast<int64_t>(seed % 5), 1};
  return options;
}

std::unique_ptr<Scheduler> NewScheduler(uint64_t seed) {
  return *Scheduler::Create(OptionsOf(seed));
}

TEST_CASE("in a random world the invariants hold and folded records give the same state") {
  size_t ended = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    RandomWorld world(seed);
    History history;
    std::unique_ptr<Scheduler> live = NewScheduler(seed);
    std::unique_ptr<Scheduler> folded = NewScheduler(seed);
    absl::Time now = absl::FromUnixSeconds(1'700'000'000);
    for (int i = 0; i < kSteps; ++i) {
      now += world.NextPause();
      const StepResult result = live->Step(world.Next(live->state()), now);
      REQUIRE(folded->Fold(result.record).ok());
      REQUIRE(Dump(folded->state()) == Dump(live->state()));
      // A fold asks no policy, so it does not know when that one wants to look again.
      REQUIRE(result.next_wake_up <= folded->next_wake_up());
      CheckInvariants(live->state(), now);
      CheckRetention(live->state(), OptionsOf(seed).retention);
      history.Check(live->state());
      CheckReasons(result.record);
      // Now and then the coordinator is gone, and the one that has only the journal goes on.
      if (i % 50 == 49) live.swap(folded);
    }
    ended += history.ended();
  }
  INFO("the worlds are alive: most jobs come to an end");
  CHECK(ended > 20 * scenario::kWorldJobsMax / 2);
}

TEST_CASE("the same events give the same records, bit for bit") {
  for (uint64_t seed = 100; seed < 110; ++seed) {
    RandomWorld world(seed);
    const std::unique_ptr<Scheduler> one = NewScheduler(seed);
    const std::unique_ptr<Scheduler> other = NewScheduler(seed);
    absl::Time now = absl::FromUnixSeconds(1'700'000'000);
    for (int i = 0; i < kSteps; ++i) {
      now += world.NextPause();
      const std::vector<pb::Event> events = world.Next(one->state());
      const std::string first = one->Step(events, now).record.ShortDebugString();
      REQUIRE(first == other->Step(events, now).record.ShortDebugString());
    }
  }
}

// Which of the transitions of a record a scheduler with another memory can take is tested in
// scheduler_test.cc; here, that whole random journals fold, and give the same living jobs.
TEST_CASE("a journal folds under any retention, and gives the same jobs that have not ended") {
  for (uint64_t seed = 120; seed < 132; ++seed) {
    INFO("seed " << seed);
    RandomWorld world(seed);
    const std::unique_ptr<Scheduler> live = NewScheduler(seed);
    const std::unique_ptr<Scheduler> other = NewScheduler(seed + 2);
    absl::Time now = absl::FromUnixSeconds(1'700'000'000);
    for (int i = 0; i < kSteps; ++i) {
      now += world.NextPause();
      const StepResult result = live->Step(world.Next(live->state()), now);
      const absl::Status folded = other->Fold(result.record);
      INFO(folded);
      REQUIRE(folded.ok());
      for (const auto& [id, job] : live->state().jobs()) {
        const Job* const same = other->state().FindJob(id);
        if (same == nullptr) REQUIRE(IsEnded(job.state));
        if (same != nullptr) REQUIRE(same->state == job.state);
      }
      for (const auto& [id, job] : other->state().jobs()) {
        if (!IsEnded(job.state)) REQUIRE(live->state().FindJob(id)->state == job.state);
      }
    }
  }
}

// Everything that a step decides beside the events it was told, in a world that is otherwise the
// same.
// A rank whose disk is full says so at every save, for days.
TEST_CASE("notices disturb nothing: without them everything else is decided in the same way") {
  for (uint64_t seed = 140; seed < 150; ++seed) {
    INFO("seed " << seed);
    RandomWorld world(seed);
    const std::unique_ptr<Scheduler> with = NewScheduler(seed);
    const std::unique_ptr<Scheduler> without = NewScheduler(seed);
    absl::Time now = absl::FromUnixSeconds(1'700'000'000);
    size_t notices = 0;
    for (int i = 0; i < kSteps; ++i) {
      now += world.NextPause();
      const std::vector<pb::Event> events = world.Next(with->state());
      std::vector<pb::Event> fewer;
      for (const pb::Event& event : events) {
        if (!event.has_rank_notice()) fewer.push_back(event);
      }
      const pb::JournalRecord told = with->Step(events, now).record;
      const pb::JournalRecord untold = without->Step(fewer, now).record;
      notices += events.size() - fewer.size();
      // What was refused is counted; nothing else may differ.
      const auto dump = [](const Scheduler& scheduler) {
        const std::string text = Dump(scheduler.state());
        return text.substr(0, text.find("\nrefused "));
      };
      REQUIRE(dump(*with) == dump(*without));
      REQUIRE(told.worker_transitions_size() == untold.worker_transitions_size());
    }
    CHECK(notices > 3);
  }
}

}  // namespace
}  // namespace rm::scheduler
