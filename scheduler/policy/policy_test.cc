#include "scheduler/policy/policy.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {
namespace {

struct Submission {
  std::string id;
  int priority;
};

// A state with these jobs in its queue, in order of submission.
void Fill(ClusterState& state, const std::vector<Submission>& jobs) {
  for (const Submission& job : jobs) {
    pb::JobTransition transition;
    transition.set_job_id(job.id);
    transition.set_to(pb::QUEUED);
    pb::SubmitJob& submission = *transition.mutable_submission();
    submission.set_job_id(job.id);
    submission.mutable_spec()->mutable_scheduling()->set_priority(job.priority);
    REQUIRE(state.Apply(transition).ok());
  }
}

// It leaves the queue with a gang of no slots.
void Place(ClusterState& state, const Job& job) {
  pb::JobTransition transition;
  transition.set_job_id(job.id());
  transition.set_from(pb::QUEUED);
  transition.set_to(pb::STARTING);
  transition.set_generation(1);
  transition.set_gang_phase(pb::COMING_UP);
  transition.add_placement()->set_worker_id("w");
  REQUIRE(state.Apply(transition).ok());
}

// The jobs in the order in which the walking `policy` has them tried when each of `blocked` finds no
// place.
std::string Tried(const std::string& policy_name, const std::vector<Submission>& jobs,
                  const std::string& blocked = "") {
  const Policy& policy = *FindPolicy(policy_name);
  ClusterState state(policy.rank, Windows());
  pb::WorkerTransition worker;
  worker.set_worker_id("w");
  worker.set_to(pb::READY);
  worker.set_slots(1);
  REQUIRE(state.Apply(worker).ok());
  Fill(state, jobs);
  std::string tried;
  PassView view{state};
  while (const Job* job = policy.next(view)) {
    tried += (tried.empty() ? "" : " ") + job->id();
    view.last = job;
    if (job->id() == blocked) view.blocked = job;
    // As the core does: placed, or its shape refused.
    if (job->id() != blocked) Place(state, *job);
    if (job->id() == blocked) view.no_room.insert(state.queue().ShapeIdOf(*job));
  }
  return tried;
}

TEST_CASE("a policy tries the queue in its order, and stops at the first job without a place") {
  struct Row {
    std::string policy;
    std::string blocked;
    std::string tried;
  };
  const std::vector<Submission> kJobs = {{"a", 10}, {"b", 90}, {"c", 10}, {"d", 50}};
  const Row kRows[] = {
      {"fifo", "", "a b c d"},     {"fifo", "a", "a"},     {"fifo", "c", "a b c"},
      {"first_fit", "", "a b c d"}, {"first_fit", "a", "a"},
      {"priority", "", "b d a c"}, {"priority", "b", "b"}, {"priority", "a", "b d a"},
  };
  for (const Row& row : kRows) {
    INFO(row.policy << " blocked at '" << row.blocked << "'");
    CHECK(Tried(row.policy, kJobs, row.blocked) == row.tried);
  }
}

TEST_CASE("every policy walks or plans, and has nothing to do in an empty queue") {
  for (const Policy& policy : Policies()) {
    INFO(policy.name);
    CHECK((policy.next == nullptr) != (policy.plan == nullptr));
    if (policy.next != nullptr) CHECK(Tried(std::string(policy.name), {}).empty());
    if (policy.plan == nullptr) continue;
    const ClusterState state(policy.rank, Windows());
    CHECK(policy.plan(PassView{state}).starts.empty());
  }
}

TEST_CASE("first_fit passes over a shape without room, and not over the others") {
  ClusterState state(FindPolicy("first_fit")->rank, Windows());
  Fill(state, {{"a", 0}, {"b", 0}, {"c", 0}});
  pb::JobTransition wide;
  wide.set_job_id("wide");
  wide.set_to(pb::QUEUED);
  wide.mutable_submission()->set_job_id("wide");
  wide.mutable_submission()->mutable_spec()->mutable_resources()->set_slots_per_rank(8);
  REQUIRE(state.Apply(wide).ok());
  PassView view{state};
  const Policy& policy = *FindPolicy("first_fit");
  CHECK(policy.next(view)->id() == "a");
  view.no_room.insert(state.queue().ShapeIdOf(*state.FindJob("a")));
  CHECK(policy.next(view)->id() == "wide");
  view.no_room.insert(state.queue().ShapeIdOf(*state.FindJob("wide")));
  CHECK(policy.next(view) == nullptr);
}

TEST_CASE("every policy tries all jobs once when nothing blocks") {
  std::vector<Submission> jobs;
  for (int i = 0; i < 50; ++i) jobs.push_back({"j" + std::to_string(i), (i * 37) % 100});
  for (const Policy& policy : Policies()) {
    if (policy.next == nullptr) continue;
    INFO(policy.name);
    std::string tried = Tried(std::string(policy.name), jobs) + " ";
    for (const Submission& job : jobs) {
      const size_t at = tried.find(job.id + " ");
      REQUIRE(at != std::string::npos);
      tried.erase(at, job.id.size() + 1);
    }
    CHECK(tried.empty());
  }
}

TEST_CASE("policies are found by their names") {
  CHECK(FindPolicy("fifo") != nullptr);
  CHECK(FindPolicy("priority") != nullptr);
  CHECK(FindPolicy("Fifo") == nullptr);
  CHECK(FindPolicy("") == nullptr);
  CHECK(PolicyNames() == "adaptive, easy, fifo, first_fit, las, priority");
  for (const Policy& policy : Policies()) CHECK(!policy.summary.empty());
}

}  // namespace
}  // namespace rm::scheduler
