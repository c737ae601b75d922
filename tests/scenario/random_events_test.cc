// Random worlds: workers, ranks and people that do what they may do, and often what they may not.
// After each step the invariants hold, and the records folded into another scheduler give the same
// state.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/state/dump.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

using testing::Ref;

constexpr int kSteps = 400;
constexpr int kJobsMax = 40;
constexpr int kWorkers = 6;

// Makes events with the state before its eyes, so that most are legal, and some of any kind at
// random.
class World {
 public:
  explicit World(uint64_t seed) : random_(seed, 1) {}

  std::vector<pb::Event> Next(const ClusterState& state) {
    std::vector<pb::Event> events;
    const uint64_t count = random_.NextBelow(4);
    for (uint64_t i = 0; i < count; ++i) events.push_back(One(state));
    return events;
  }

  absl::Duration NextPause() {
    static constexpr int64_t kPauses[] = {0, 1, 1, 1, 3, 10, 45};
    return absl::Seconds(kPauses[random_.NextBelow(7)]);
  }

 private:
  bool Chance(uint64_t percent) { return random_.NextBelow(100) < percent; }
  int Below(int bound) { return static_cast<int>(random_.NextBelow(static_cast<uint64_t>(bound))); }

  pb::Event One(const ClusterState& state) {
    if (Chance(10)) return OfWorker(state);
    if (Chance(12)) return NewJob();
    if (Chance(12)) return OfPeople();
    if (Chance(1)) return testing::Started();
    if (Chance(1)) return pb::Event();
    return OfRank(state);
  }

  std::string AnyJob() { return absl::StrCat("j", Below(jobs_ + 2)); }
  std::string AnyWorker() { return absl::StrCat("w", Below(kWorkers)); }

  pb::Event NewJob() {
    if (jobs_ == kJobsMax) return testing::Tick();
    const int ranks = 1 + Below(4);
    pb::Event event = testing::Submit(Chance(3) ? AnyJob() : absl::StrCat("j", jobs_++), ranks);
    pb::SubmitJob& submit = *event.mutable_submit();
    submit.set_preflight_pending(Chance(30));
    pb::SchedulingSpec& scheduling = *submit.mutable_spec()->mutable_scheduling();
    scheduling.set_priority(Below(3));
    scheduling.set_max_restarts(Below(6));
    scheduling.set_recovery_grace(Chance(30) ? 0 : 20);
    scheduling.set_grace_period(Chance(20) ? 0 : 10);
    if (Chance(20)) scheduling.set_time_limit(60);
    if (Chance(20)) scheduling.set_queue_timeout(40);
    pb::ResourceSpec& resources = *submit.mutable_spec()->mutable_resources();
    if (Chance(30)) resources.set_ranks_min(1);
    if (Chance(20)) resources.set_slots_per_rank(2);
    if (Chance(15)) (*resources.mutable_node_selector())["zone"] = "a";
    if (Chance(5)) resources.set_ranks_min(0);
    return event;
  }

  pb::Event OfPeople() {
    switch (Below(6)) {
      case 0: return testing::Cancel(AnyJob());
      case 1: return testing::Kill(AnyJob());
      case 2:
      case 3: return testing::Pause(AnyJob());
      default: return testing::Resume(AnyJob());
    }
  }

  pb::Event OfWorker(const ClusterState& state) {
    const std::string id = AnyWorker();
    if (Chance(30)) return testing::Lost(id);
    const Worker* worker = state.FindWorker(id);
    const int slots =
        worker == nullptr || Chance(10) ? 1 + Below(4) : static_cast<int>(worker->slots.size());
    pb::Event event = testing::Attach(id, Chance(2) ? 0 : slots, Running(state, id));
    if (Chance(50)) (*event.mutable_worker_attached()->mutable_labels())["zone"] = "a";
    return event;
  }

  // Most of what the state believes to run there, and now and then something else.
  std::vector<pb::RankRef> Running(const ClusterState& state, const std::string& worker) {
    std::vector<pb::RankRef> running;
    for (const auto& [id, job] : state.jobs()) {
      for (const GangRank& rank : job.gang) {
        if (rank.where.worker_id() != worker || rank.gone() || Chance(10)) continue;
        running.push_back(Ref(id, job.generation, rank.where.rank()));
      }
    }
    if (Chance(20)) running.push_back(Ref(AnyJob(), Below(3), Below(4)));
    return running;
  }

  pb::Event OfRank(const ClusterState& state) {
    std::vector<std::pair<const Job*, const GangRank*>> living;
    for (const auto& [id, job] : state.jobs()) {
      if (job.preflight_pending && Chance(30)) {
        return testing::Verdict(
            id, Chance(15) ? std::vector<std::string>{"no data"} : std::vector<std::string>());
      }
      for (const GangRank& rank : job.gang) {
        if (!rank.gone()) living.emplace_back(&job, &rank);
      }
    }
    if (living.empty() || Chance(4)) return AnyReport(Ref(AnyJob(), Below(4), Below(5) - 1));
    const auto& [job, rank] = living[random_.NextBelow(living.size())];
    return NextReport(*job, *rank);
  }

  // What that rank would report next.
  pb::Event NextReport(const Job& job, const GangRank& rank) {
    const pb::RankRef ref = Ref(job.id(), job.generation, rank.where.rank());
    const bool leaving = job.state == pb::STOPPING || job.gang_phase == pb::LEAVING;
    if (leaving || Chance(6)) return End(ref);
    if (rank.phase == RankPhase::kAssigned) {
      return Chance(4) ? testing::Refused(ref) : testing::Listening(ref);
    }
    if (rank.phase == RankPhase::kListening) return testing::Joined(ref, Below(10));
    if (job.training_done) return testing::Exited(ref, 0, 100);
    if (Chance(20)) return testing::Done(ref, 100);
    return testing::Checkpoint(ref, Below(100));
  }

  pb::Event End(const pb::RankRef& ref) {
    switch (Below(5)) {
      case 0: return testing::Exited(ref, 0, Below(3));
      case 1: return testing::Exited(ref, 1, Below(3));
      case 2: return testing::PeerLost(ref, Below(3));
      default: return testing::Killed(ref, Chance(70) ? 9 : 11, Below(3));
    }
  }

  pb::Event AnyReport(const pb::RankRef& ref) {
    switch (Below(6)) {
      case 0: return testing::Listening(ref);
      case 1: return testing::Joined(ref);
      case 2: return testing::Refused(ref);
      case 3: return testing::Checkpoint(ref, 1);
      case 4: return testing::Done(ref, 1);
      default: return End(ref);
    }
  }

  base::RandomStream random_;
  int jobs_ = 0;
};

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
      if (IsEnded(job.state)) ended_[id] = job.state;
      REQUIRE(job.generation >= generation_[id]);
      generation_[id] = job.generation;
    }
  }
  size_t ended() const { return ended_.size(); }

 private:
  std::map<std::string, pb::JobState> ended_;
  std::map<std::string, int64_t> generation_;
};

void CheckReasons(const pb::JournalRecord& record) {
  for (const auto& transition : record.job_transitions()) {
    REQUIRE(IsLegal(transition.from(), transition.to()));
    REQUIRE(!transition.reason().code().empty());
    REQUIRE(!transition.reason().sentence().empty());
  }
  const auto codes = RefusalCodes();
  for (const auto& refusal : record.refusals()) {
    REQUIRE(std::find(codes.begin(), codes.end(), refusal.reason().code()) != codes.end());
  }
}

std::unique_ptr<Scheduler> NewScheduler(uint64_t seed) {
  SchedulerOptions options;
  options.policy = seed % 2 == 0 ? "fifo" : "priority";
  return *Scheduler::Create(options);
}

TEST_CASE("in a random world the invariants hold and folded records give the same state") {
  size_t ended = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    History history;
    std::unique_ptr<Scheduler> live = NewScheduler(seed);
    std::unique_ptr<Scheduler> folded = NewScheduler(seed);
    absl::Time now = absl::FromUnixSeconds(1'700'000'000);
    for (int i = 0; i < kSteps; ++i) {
      now += world.NextPause();
      const StepResult result = live->Step(world.Next(live->state()), now);
      REQUIRE(folded->Fold(result.record).ok());
      REQUIRE(Dump(folded->state()) == Dump(live->state()));
      REQUIRE(result.next_wake_up == folded->next_wake_up());
      CheckInvariants(live->state(), now);
      history.Check(live->state());
      CheckReasons(result.record);
      // Now and then the coordinator is gone, and the one that has only the journal goes on.
      if (i % 50 == 49) live.swap(folded);
    }
    ended += history.ended();
  }
  INFO("the worlds are alive: most jobs come to an end");
  CHECK(ended > 20 * kJobsMax / 2);
}

TEST_CASE("the same events give the same records, bit for bit") {
  for (uint64_t seed = 100; seed < 110; ++seed) {
    World world(seed);
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

}  // namespace
}  // namespace rm::scheduler
