// What a kill -9 costs, through real daemons.

#include <signal.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

int64_t Number(const base::Json& job, const std::string& key) {
  int64_t value = 0;
  return absl::SimpleAtoi(Text(job, key), &value) ? value : 0;
}

int64_t StepOf(const base::Json& job) {
  const base::Json* progress = job.Find("progress");
  return progress == nullptr ? 0 : Number(*progress, "step");
}

bool IsIn(const base::Json& job, const std::string& state) { return Text(job, "state") == state; }

// A job that runs until it is told to stop, with a checkpoint every 200 steps.
std::string StartEndless(const TestCluster& cluster, const std::string& name) {
  return cluster.Submit(cluster.JobFile(name, 2, "  steps: 100000000\n"),
                        "--set checkpoint.every.steps=200");
}

TEST_CASE("a killed rank costs the steps since the last checkpoint and nothing else") {
  TestCluster cluster;
  const std::string id = StartEndless(cluster, "killed-rank");
  cluster.WaitFor(id, [](const base::Json& job) {
    return Number(job, "last_checkpoint_step") > 0 && IsIn(job, "RUNNING");
  });
  const std::vector<int> before = cluster.RankPids(id);
  REQUIRE(before.size() == 2);
  ::kill(before[1], SIGKILL);
  const base::Json job = cluster.WaitFor(id, [](const base::Json& now) {
    return Number(now, "generation") == 2 && IsIn(now, "RUNNING") && StepOf(now) > 0;
  });
  CHECK(Number(job, "restarts") == 1);
  const std::string events = cluster.Trainctl("events " + id).out;
  CHECK(absl::StrContains(events, "RankLost: rank 1 of job " + id));
  CHECK(absl::StrContains(events, "signal 9"));
  for (const int pid : cluster.RankPids(id)) {
    CHECK(pid != before[0]);  // a new generation is new processes, in this version
  }
  CHECK(cluster.Trainctl("cancel -y " + id).code == 0);
  CHECK(cluster.Trainctl("wait " + id).code == 103);
  CHECK(cluster.Trainctl("checkpoint verify " + id).code == 0);
  CHECK(absl::StrContains(cluster.Trainctl("checkpoint ls " + id).out, "-g2"));
}

TEST_CASE("a coordinator that is killed and comes back disturbs nothing that runs") {
  TestCluster cluster;
  const std::string id = StartEndless(cluster, "orphan");
  cluster.WaitFor(id, [](const base::Json& job) { return StepOf(job) > 50; });
  const std::vector<int> before = cluster.RankPids(id);
  cluster.KillCoordinator();
  CHECK(cluster.Trainctl("list").code == 69);
  CHECK(cluster.RankPids(id) == before);
  cluster.RestartCoordinator();
  const base::Json back = cluster.WaitFor(
      id, [](const base::Json& job) { return IsIn(job, "RUNNING") && StepOf(job) > 0; });
  const int64_t step = StepOf(back);
  cluster.WaitFor(id, [step](const base::Json& job) { return StepOf(job) > step; });
  CHECK(cluster.RankPids(id) == before);  // the same processes
  CHECK(Number(cluster.Job(id), "generation") == 1);
  CHECK(Number(cluster.Job(id), "restarts") == 0);
  CHECK(cluster.Trainctl("cancel -y " + id).code == 0);
  CHECK(cluster.Trainctl("wait " + id).code == 103);
}

TEST_CASE("a job that keeps failing ends with its reason when its restarts are used up") {
  TestCluster cluster;
  const std::string id = cluster.Submit(cluster.JobFile("unlucky", 2, "  steps: 100000000\n"),
                                        "--set scheduling.max_restarts=1");
  for (const int64_t generation : {1, 2}) {
    cluster.WaitFor(id, [generation](const base::Json& job) {
      return Number(job, "generation") == generation && IsIn(job, "RUNNING") && StepOf(job) > 0;
    });
    for (const int pid : cluster.RankPids(id)) ::kill(pid, SIGKILL);
  }
  const Outcome wait = cluster.Trainctl("wait " + id);
  INFO(wait.err);
  CHECK(wait.code == 100);
  CHECK(absl::StrContains(wait.err, "killed"));
}

}  // namespace
}  // namespace rm::integration
