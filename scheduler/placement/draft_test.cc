#include "scheduler/placement/draft.h"

#include <catch2/catch.hpp>
#include <string>

namespace rm::scheduler {
namespace {

void Attach(ClusterState& state, const std::string& id, int32_t slots,
            const std::string& problem = "") {
  pb::WorkerTransition transition;
  transition.set_worker_id(id);
  transition.set_to(pb::READY);
  transition.set_slots(slots);
  transition.set_storage_problem(problem);
  REQUIRE(state.Apply(transition).ok());
}

// A job that holds slots 0 and 1 of `worker`.
const Job& Run(ClusterState& state, const std::string& id, const std::string& worker) {
  pb::JobTransition submitted;
  submitted.set_job_id(id);
  submitted.set_to(pb::QUEUED);
  submitted.mutable_submission()->set_job_id(id);
  REQUIRE(state.Apply(submitted).ok());
  pb::JobTransition placed;
  placed.set_job_id(id);
  placed.set_from(pb::QUEUED);
  placed.set_to(pb::STARTING);
  placed.set_generation(1);
  placed.set_gang_phase(pb::COMING_UP);
  pb::Placement& rank = *placed.add_placement();
  rank.set_worker_id(worker);
  rank.add_slots(0);
  rank.add_slots(1);
  REQUIRE(state.Apply(placed).ok());
  return *state.FindJob(id);
}

int64_t Rank(const Job& /*job*/) { return 0; }

TEST_CASE("a draft begins with what is free, and leaves the state alone") {
  ClusterState state(&Rank, Windows());
  Attach(state, "w1", 4);
  Attach(state, "w2", 4);
  const Job& job = Run(state, "a", "w1");
  Draft draft(state);
  CHECK(draft.free().total() == 6);
  draft.Give(job);
  CHECK(draft.free().total() == 8);
  CHECK(draft.FreeOn(*state.FindWorker("w1")) == 4);
  draft.Take({{state.FindWorker("w2"), 2}}, 2);
  CHECK(draft.FreeOn(*state.FindWorker("w2")) == 0);
  draft.Give({{state.FindWorker("w2"), 1}}, 2);
  CHECK(draft.FreeOn(*state.FindWorker("w2")) == 2);
  CHECK(draft.free().total() == 6);
  CHECK(state.free_slots().total() == 6);
  CHECK(state.FindWorker("w1")->free_slots == 2);
}

TEST_CASE("a worker that is not usable has nothing to give") {
  ClusterState state(&Rank, Windows());
  Attach(state, "w1", 4);
  const Job& job = Run(state, "a", "w1");
  pb::WorkerTransition silent;
  silent.set_worker_id("w1");
  silent.set_from(pb::READY);
  silent.set_to(pb::SUSPECT);
  REQUIRE(state.Apply(silent).ok());
  Draft draft(state);
  draft.Give(job);
  CHECK(draft.free().total() == 0);
  CHECK(draft.FreeOn(*state.FindWorker("w1")) == 0);
}

TEST_CASE("free in both is the smaller count of each worker") {
  ClusterState state(&Rank, Windows());
  Attach(state, "w1", 4);
  Attach(state, "w2", 4);
  Draft now(state);
  Draft then(state);
  now.Take({{state.FindWorker("w1"), 3}}, 1);
  then.Take({{state.FindWorker("w2"), 4}}, 1);
  const FreeSlots both = FreeInBoth(now, then);
  CHECK(both.total() == 1);
  REQUIRE(both.by_count().count(1) == 1);
  CHECK((*both.by_count().at(1).begin())->id == "w1");
}

}  // namespace
}  // namespace rm::scheduler
