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

// The jobs in the order in which `policy` has them tried when each of `blocked` finds no place.
std::string Tried(const std::string& policy_name, const std::vector<Submission>& jobs,
                  const std::string& blocked = "") {
  const Policy& policy = *FindPolicy(policy_name);
  ClusterState state(policy.rank, Windows());
  Fill(state, jobs);
  std::string tried;
  PassView view{state};
  while (const Job* job = policy.next(view)) {
    tried += (tried.empty() ? "" : " ") + job->id();
    view.last = job;
    if (job->id() == blocked) view.blocked = job;
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
      {"priority", "", "b d a c"}, {"priority", "b", "b"}, {"priority", "a", "b d a"},
  };
  for (const Row& row : kRows) {
    INFO(row.policy << " blocked at '" << row.blocked << "'");
    CHECK(Tried(row.policy, kJobs, row.blocked) == row.tried);
  }
}

TEST_CASE("every policy has nothing to try in an empty queue") {
  for (const Policy& policy : Policies()) CHECK(Tried(std::string(policy.name), {}).empty());
}

TEST_CASE("every policy tries all jobs once when nothing blocks") {
  std::vector<Submission> jobs;
  for (int i = 0; i < 50; ++i) jobs.push_back({"j" + std::to_string(i), (i * 37) % 100});
  for (const Policy& policy : Policies()) {
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
  CHECK(PolicyNames() == "fifo, priority");
  for (const Policy& policy : Policies()) CHECK(!policy.summary.empty());
}

}  // namespace
}  // namespace rm::scheduler
