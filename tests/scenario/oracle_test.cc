// The slow and obvious version of what the core keeps in indices: everything is looked at anew
// after each step of random worlds, and must agree.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/core/scheduler.h"
#include "scheduler/state/timer.h"
#include "tests/scenario/random_world.h"

namespace rm::scheduler {
namespace {

constexpr int kSteps = 300;

bool HasLabels(const Worker& worker, const Job& job) {
  for (const auto& [key, value] : job.resources().node_selector()) {
    const auto label = worker.labels.find(key);
    if (label == worker.labels.end() || label->second != value) return false;
  }
  return true;
}

// Ranks of `job` that fit the workers now, or with `ever` if every slot that is not lost were free.
int64_t Room(const ClusterState& state, const Job& job, bool ever) {
  int64_t room = 0;
  for (const auto& [id, worker] : state.workers()) {
    const bool expected = worker.state == pb::ABSENT || worker.state == pb::SUSPECT;
    const bool usable = worker.state == pb::READY || (ever && expected);
    if (!usable || !worker.storage_problem.empty() || !HasLabels(worker, job)) continue;
    const int64_t slots = ever ? static_cast<int64_t>(worker.slots.size())
                               : std::count_if(worker.slots.begin(), worker.slots.end(),
                                               [](const Slot& slot) { return slot.free(); });
    room += slots / job.resources().slots_per_rank();
  }
  return room;
}

// Every job that may be placed, in the order of the policy, by sorting all of them.
std::vector<const Job*> SortedQueue(const ClusterState& state, bool by_priority) {
  std::vector<const Job*> queue;
  for (const auto& [id, job] : state.jobs()) {
    const bool waits = job.state == pb::QUEUED && !job.preflight_pending;
    if (waits && job.preflight_errors.empty()) queue.push_back(&job);
  }
  std::sort(queue.begin(), queue.end(), [&](const Job* a, const Job* b) {
    const int pa = by_priority ? a->scheduling().priority() : 0;
    const int pb = by_priority ? b->scheduling().priority() : 0;
    return pa != pb ? pa > pb : a->sequence < b->sequence;
  });
  return queue;
}

void CheckQueue(const ClusterState& state, const std::vector<const Job*>& expected) {
  std::vector<const Job*> queue;
  for (const Job* job = state.queue().First(); job != nullptr; job = state.queue().After(*job)) {
    queue.push_back(job);
  }
  REQUIRE(queue == expected);
}

void CheckWorkers(const ClusterState& state) {
  std::map<int32_t, std::set<std::string>> free;
  std::map<int32_t, std::set<std::string>> indexed;
  std::map<int32_t, int64_t> capacity;
  int64_t total = 0;
  for (const auto& [id, worker] : state.workers()) {
    if (worker.state == pb::LOST || !worker.storage_problem.empty()) continue;
    ++capacity[static_cast<int32_t>(worker.slots.size())];
    if (worker.state != pb::READY) continue;
    const auto count = std::count_if(worker.slots.begin(), worker.slots.end(),
                                     [](const Slot& slot) { return slot.free(); });
    free[static_cast<int32_t>(count)].insert(id);
    total += count;
  }
  for (const auto& [count, workers] : state.free_slots().by_count()) {
    for (const Worker* worker : workers) indexed[count].insert(worker->id);
  }
  REQUIRE(indexed == free);
  REQUIRE(state.free_slots().total() == total);
  REQUIRE(state.capacity() == capacity);
}

void CheckDeadlines(const ClusterState& state) {
  ClusterState::Deadlines jobs;
  ClusterState::Deadlines workers;
  for (const auto& [id, job] : state.jobs()) {
    const absl::Time at = NextTimer(job, state.windows()).at;
    if (at != absl::InfiniteFuture()) jobs.insert({at, id});
  }
  for (const auto& [id, worker] : state.workers()) {
    const absl::Time at = WorkerDeadline(worker, state.windows());
    if (at != absl::InfiniteFuture()) workers.insert({at, id});
  }
  REQUIRE(state.job_deadlines() == jobs);
  REQUIRE(state.worker_deadlines() == workers);
}

// Nothing is left undone: the first job that could ever fit does not fit now.
void CheckHead(const ClusterState& state, const std::vector<const Job*>& queue) {
  for (const Job* job : queue) {
    if (Room(state, *job, true) < job->resources().ranks_min()) continue;
    INFO("first in the queue: " << job->id());
    REQUIRE(Room(state, *job, false) < job->resources().ranks_min());
    return;
  }
}

// Nothing was overtaken: whoever was placed from the queue stood before all that still wait and
// could ever fit.
void CheckOrder(const ClusterState& state, const pb::JournalRecord& record,
                const std::vector<const Job*>& queue, bool by_priority) {
  for (const auto& transition : record.job_transitions()) {
    if (transition.from() != pb::QUEUED || transition.to() != pb::STARTING) continue;
    const Job& placed = *state.FindJob(transition.job_id());
    for (const Job* waiting : queue) {
      if (waiting == &placed || Room(state, *waiting, true) < waiting->resources().ranks_min()) {
        continue;
      }
      INFO(placed.id() << " was placed while " << waiting->id() << " waits");
      const int mine = by_priority ? placed.scheduling().priority() : 0;
      const int theirs = by_priority ? waiting->scheduling().priority() : 0;
      REQUIRE((mine > theirs || (mine == theirs && placed.sequence < waiting->sequence)));
    }
  }
}

// Gangs that wait for a replacement cannot have one.
void CheckReplacing(const ClusterState& state) {
  for (const auto& [id, job] : state.jobs()) {
    if (job.gang_phase != pb::WAITING_FOR_SLOTS) continue;
    int64_t kept = 0;
    bool away = false;
    for (const GangRank& rank : job.gang) {
      const Worker& worker = *state.FindWorker(rank.where.worker_id());
      const Slot& slot = worker.slots[static_cast<size_t>(rank.where.slots(0))];
      const bool held = slot.holder == &job && slot.rank == rank.where.rank();
      if (!held || !worker.storage_problem.empty()) continue;
      ++kept;
      away = away || worker.state != pb::READY;
    }
    INFO("job " << id << " keeps " << kept);
    if (!away) REQUIRE(kept + Room(state, job, false) < job.resources().ranks_min());
  }
}

TEST_CASE("indices and decisions agree with a look at everything") {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    const bool by_priority = seed % 2 == 1;
    SchedulerOptions options;
    options.policy = by_priority ? "priority" : "fifo";
    const std::unique_ptr<Scheduler> scheduler = *Scheduler::Create(options);
    scenario::RandomWorld world(seed);
    absl::Time now = absl::FromUnixSeconds(1'700'000'000);
    for (int i = 0; i < kSteps; ++i) {
      now += world.NextPause();
      const ClusterState& state = scheduler->state();
      const StepResult result = scheduler->Step(world.Next(state), now);
      const std::vector<const Job*> queue = SortedQueue(state, by_priority);
      CheckQueue(state, queue);
      CheckWorkers(state);
      CheckDeadlines(state);
      CheckHead(state, queue);
      CheckOrder(state, result.record, queue, by_priority);
      CheckReplacing(state);
    }
  }
}

}  // namespace
}  // namespace rm::scheduler
