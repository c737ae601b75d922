// What an explanation promises comes true: in random worlds the jobs that are named as in the way
// are ended, or a worker of the named size is attached, and the job that waited starts.
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/explain/explain.h"
#include "tests/scenario/random_world.h"

namespace rm::scheduler {
namespace {

// A world after some steps, with the records to make the same one again.
struct History {
  std::vector<pb::JournalRecord> records;
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);

  void Play(uint64_t seed, int steps) {
    scenario::RandomWorld world(seed);
    const std::unique_ptr<Scheduler> scheduler = *Scheduler::Create(SchedulerOptions());
    for (int i = 0; i < steps; ++i) {
      now += world.NextPause();
      records.push_back(scheduler->Step(world.Next(scheduler->state()), now).record);
    }
  }
  std::unique_ptr<Scheduler> Again() const {
    std::unique_ptr<Scheduler> scheduler = *Scheduler::Create(SchedulerOptions());
    for (const pb::JournalRecord& record : records) REQUIRE(scheduler->Fold(record).ok());
    return scheduler;
  }
};

// Kills a job and lets all its ranks leave, in one instant.
void End(Scheduler& scheduler, const Job& job, absl::Time now) {
  std::vector<pb::Event> events = {testing::Kill(job.id())};
  for (const GangRank& rank : job.gang) {
    if (rank.gone()) continue;
    events.push_back(testing::Killed(testing::Ref(job.id(), job.generation, rank.where.rank()), 9));
  }
  scheduler.Step(events, now);
}

bool HasLeftTheQueue(const Scheduler& scheduler, const std::string& id) {
  return scheduler.state().FindJob(id)->state != pb::QUEUED;
}

// The job at the head of the queue that lacks slots, and only slots; empty: none.
std::string JobThatLacksSlots(const ClusterState& state, absl::Time now) {
  for (const auto& [id, job] : state.jobs()) {
    if (!job.Placeable()) continue;
    if (Explain(state, id, now, SchedulerOptions()).reason().code() == "NotEnoughSlots") return id;
  }
  return "";
}

TEST_CASE("the end of the jobs that an explanation names starts the job that waits") {
  int tried = 0;
  for (uint64_t seed = 600; seed < 800; ++seed) {
    History history;
    history.Play(seed, 60);
    const std::unique_ptr<Scheduler> scheduler = history.Again();
    const ClusterState& state = scheduler->state();
    const std::string id = JobThatLacksSlots(state, history.now);
    // A gang that waits for a replacement would take the slots first.
    if (id.empty() || state.replacing().size() > 0) continue;
    const Job& job = *state.FindJob(id);
    const std::vector<const Job*> ends =
        EndsThatMakeRoom(state, job.resources(), job.resources().ranks_min());
    if (ends.empty()) continue;
    INFO("seed " << seed << ", job " << id);
    for (const Job* end : ends) {
      CHECK_FALSE(HasLeftTheQueue(*scheduler, id));
      End(*scheduler, *end, history.now);
    }
    CHECK(HasLeftTheQueue(*scheduler, id));
    ++tried;
  }
  CHECK(tried > 10);
}

TEST_CASE("a worker with the slots that an explanation names starts the job that waits") {
  int tried = 0;
  for (uint64_t seed = 800; seed < 1000; ++seed) {
    History history;
    history.Play(seed, 60);
    const std::unique_ptr<Scheduler> scheduler = history.Again();
    const ClusterState& state = scheduler->state();
    const std::string id = JobThatLacksSlots(state, history.now);
    if (id.empty() || state.replacing().size() > 0) continue;
    // One that could not fit so far, and can with the new worker, would be first.
    if (state.queue().First() != state.FindJob(id)) continue;
    const pb::ResourceSpec& resources = state.FindJob(id)->resources();
    const int64_t missing = resources.ranks_min() - RoomWithout(state, resources, {});
    const int64_t slots = missing * resources.slots_per_rank();
    INFO("seed " << seed << ", job " << id << ", " << slots << " slots");
    const auto attach = [&](Scheduler& world, int64_t count) {
      pb::Event event = testing::Attach("new", static_cast<int>(count));
      (*event.mutable_worker_attached()->mutable_labels())["zone"] = "a";
      world.Step({event}, history.now);
    };
    if (slots > 1) {
      const std::unique_ptr<Scheduler> other = history.Again();
      attach(*other, slots - 1);
      CHECK_FALSE(HasLeftTheQueue(*other, id));
    }
    attach(*scheduler, slots);
    CHECK(HasLeftTheQueue(*scheduler, id));
    ++tried;
  }
  CHECK(tried > 10);
}

// Everything that keeps slots from being used is over: silent workers are heard, absent ones are
// back, and all see the storage. Their ranks run on.
std::vector<pb::Event> AllIsWell(const ClusterState& state) {
  std::vector<pb::Event> events;
  for (const auto& [id, worker] : state.workers()) {
    if (worker.state == pb::LOST || worker.Usable()) continue;
    std::vector<pb::RankRef> running;
    for (const auto& [job_id, job] : state.jobs()) {
      for (const GangRank& rank : job.gang) {
        if (rank.gone() || rank.where.worker_id() != id) continue;
        running.push_back(testing::Ref(job_id, job.generation, rank.where.rank()));
      }
    }
    pb::Event event = testing::Attach(id, static_cast<int>(worker.slots.size()), running);
    event.mutable_worker_attached()->mutable_labels()->insert(worker.labels.begin(),
                                                              worker.labels.end());
    events.push_back(event);
  }
  return events;
}

// "it waits only for …": the words that the promise is made with.
std::string JobThatWaitsOnlyForWorkers(const ClusterState& state, absl::Time now) {
  for (const auto& [id, job] : state.jobs()) {
    if (!job.Placeable()) continue;
    const pb::Explanation why = Explain(state, id, now, SchedulerOptions());
    if (absl::StrContains(why.reason().sentence(), "it waits only for ")) return id;
  }
  return "";
}

TEST_CASE("a job that waits only for workers that get nothing starts when nothing is wrong there") {
  std::map<std::string, int> tried;
  for (uint64_t seed = 1100; seed < 1500; ++seed) {
    History history;
    history.Play(seed, 60);
    const std::unique_ptr<Scheduler> scheduler = history.Again();
    const ClusterState& state = scheduler->state();
    const std::string id = JobThatWaitsOnlyForWorkers(state, history.now);
    if (id.empty() || state.replacing().size() > 0) continue;
    // One that could not fit so far, and can with those workers, would be first.
    if (state.queue().First() != state.FindJob(id)) continue;
    ++tried[Explain(state, id, history.now, SchedulerOptions()).reason().code()];
    INFO("seed " << seed << ", job " << id);
    scheduler->Step(AllIsWell(state), history.now);
    CHECK(HasLeftTheQueue(*scheduler, id));
  }
  CHECK(tried["WorkerSilent"] > 3);
  CHECK(tried["WorkerAbsent"] > 3);
  CHECK(tried["StorageNotShared"] > 3);
}

TEST_CASE("in random worlds every job has an explanation with a sentence") {
  for (uint64_t seed = 1000; seed < 1010; ++seed) {
    scenario::RandomWorld world(seed);
    const std::unique_ptr<Scheduler> scheduler = *Scheduler::Create(SchedulerOptions());
    absl::Time now = absl::FromUnixSeconds(1'700'000'000);
    for (int i = 0; i < 100; ++i) {
      now += world.NextPause();
      scheduler->Step(world.Next(scheduler->state()), now);
      for (const auto& [id, job] : scheduler->state().jobs()) {
        const pb::Explanation why = Explain(scheduler->state(), id, now, SchedulerOptions());
        INFO("seed " << seed << ", job " << id << ": " << why.ShortDebugString());
        REQUIRE(!why.reason().code().empty());
        REQUIRE(!why.reason().sentence().empty());
        for (const std::string& detail : why.details()) REQUIRE(detail.back() == '.');
        for (const pb::Holder& holder : why.holders()) REQUIRE(holder.slots() > 0);
      }
    }
  }
}

}  // namespace
}  // namespace rm::scheduler
