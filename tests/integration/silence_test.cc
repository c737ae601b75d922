// Those who live and say nothing: ranks that hang, workers that are silent.

#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/child.h"
#include "tests/integration/long_job.h"
#include "tests/integration/process_table.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

std::string Events(const TestCluster& cluster, const std::string& id) {
  return cluster.Trainctl("events " + id).out;
}

TEST_CASE("a rank that hangs is named, killed and replaced; the one that waits for it is not blamed") {
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "hanging";
  wanted.flags = "--set scheduling.hang_after=2s";
  const std::string id = SubmitLong(cluster, wanted);
  cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.last_checkpoint_step() >= 100;
  });
  const std::vector<int> before = cluster.RankPids(id);
  REQUIRE(before.size() == 2);
  const absl::Time stopped = absl::Now();
  ::kill(before[1], SIGSTOP);
  const pb::Job job = cluster.Await(id, [](const pb::Job& now) {
    return Runs(now, 2) && now.progress().step() > 0;
  });
  std::printf("rank stopped, hang_after 2s: next applied step after %s\n",
              absl::FormatDuration(absl::Now() - stopped).c_str());
  const std::string events = Events(cluster, id);
  INFO(events);
  CHECK(absl::StrContains(events, absl::StrCat("RankHung: rank 1 of job ", id)));
  CHECK_FALSE(absl::StrContains(events, "RankHung: rank 0"));
  for (const int pid : before) CHECK_FALSE(IsRunning(pid));
  CHECK(job.restarts() == 1);
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
}

TEST_CASE("a rank that stands still for less than hang_after is waited for") {
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "pausing";  // with the default hang_after, a minute
  const std::string id = SubmitLong(cluster, wanted);
  cluster.Await(id, [](const pb::Job& job) { return Runs(job, 1) && job.progress().step() > 50; });
  const std::vector<int> before = cluster.RankPids(id);
  ::kill(before.at(0), SIGSTOP);
  absl::SleepFor(absl::Seconds(3));  // the fault itself: longer than any other time limit between ranks
  ::kill(before.at(0), SIGCONT);
  const pb::Job stopped = cluster.Await(id, [](const pb::Job&) { return true; });
  cluster.Await(id, [&](const pb::Job& job) {
    return Runs(job, 1) && job.progress().step() > stopped.progress().step();
  });
  CHECK(cluster.RankPids(id) == before);
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
}

TEST_CASE("SIGQUIT has a rank write its stacks into its log, and it goes on") {
  TestCluster cluster;
  const std::string id = SubmitLong(cluster, LongJob());
  cluster.Await(id, [](const pb::Job& job) { return Runs(job, 1) && job.progress().step() > 20; });
  const std::vector<int> before = cluster.RankPids(id);
  ::kill(before.at(1), SIGQUIT);
  Child& logs = cluster.TrainctlInBackground("logs -f " + id + " --rank 1", "stacks");
  CHECK(logs.WaitForOutput("stack", absl::Seconds(20)));
  const pb::Job job = cluster.Await(id, [](const pb::Job&) { return true; });
  cluster.Await(id, [&](const pb::Job& now) {
    return Runs(now, 1) && now.progress().step() > job.progress().step();
  });
  CHECK(cluster.RankPids(id) == before);
  CHECK(cluster.client().Kill(id).ok());
}

TEST_CASE("a silent worker is suspected, gets no new ranks, and is trusted again when it is heard") {
  TestCluster cluster(2, 2);
  LongJob wanted;
  wanted.name = "kept";
  const std::string id = SubmitLong(cluster, wanted);
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.progress().step() > 20;
  });
  // The one that holds nothing: the job must not notice at all.
  const std::string busy = before.placement(0).worker_id();
  REQUIRE(before.placement(1).worker_id() == busy);
  const std::string silent = busy == "worker-1" ? "worker-2" : "worker-1";
  ::kill(cluster.PidOf(silent), SIGSTOP);
  const absl::Time stopped = absl::Now();
  cluster.AwaitWorkers(pb::SUSPECT, 1);
  std::printf("worker stopped: suspected after %s\n", absl::FormatDuration(absl::Now() - stopped).c_str());
  const std::string next = cluster.Submit(cluster.JobFile("next", 2, "  steps: 10\n"));
  cluster.Await(next, [](const pb::Job& job) {
    return job.state() == pb::QUEUED && job.reason().code() != "Preflight";
  });
  const std::string why = cluster.Trainctl("why " + next).out;
  // On a machine so slow that it was given up meanwhile, nobody waits for it any more.
  const auto nodes = cluster.client().Nodes();
  REQUIRE(nodes.ok());
  for (const pb::Node& node : nodes->nodes()) {
    if (node.state() == pb::SUSPECT) CHECK(absl::StrContains(why, silent));
  }
  ::kill(cluster.PidOf(silent), SIGCONT);
  cluster.AwaitWorkers(pb::READY, 2);
  CHECK(cluster.AwaitEnd(next).state() == pb::SUCCEEDED);
  CHECK(Runs(cluster.Await(id, [](const pb::Job&) { return true; }), 1));
  CHECK(cluster.client().Kill(id).ok());
}

TEST_CASE("a worker that is silent for too long is lost; when it wakes, its ranks of old are stopped") {
  TestCluster cluster(3, 1);
  LongJob wanted;
  wanted.name = "asleep";
  const std::string id = SubmitLong(cluster, wanted);
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.last_checkpoint_step() >= 100;
  });
  const std::vector<int> old_ranks = cluster.RankPids(id);
  REQUIRE(old_ranks.size() == 2);
  std::string silent;
  for (const pb::Placement& placement : before.placement()) {
    if (placement.rank() == 1) silent = placement.worker_id();
  }
  // Worker and rank stop together, as when the whole machine stands still.
  ::kill(cluster.PidOf(silent), SIGSTOP);
  ::kill(old_ranks[1], SIGSTOP);
  const absl::Time stopped = absl::Now();
  cluster.AwaitWorkers(pb::LOST, 1);
  std::printf("worker and rank stopped: lost after %s\n",
              absl::FormatDuration(absl::Now() - stopped).c_str());
  cluster.Await(id, [](const pb::Job& job) { return Runs(job, 2) && job.progress().step() > 0; });
  CHECK(IsRunning(old_ranks[1]));  // nobody could reach it
  ::kill(cluster.PidOf(silent), SIGCONT);
  ::kill(old_ranks[1], SIGCONT);
  cluster.AwaitWorkers(pb::READY, 3);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (IsRunning(old_ranks[1]) && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(20));
  CHECK_FALSE(IsRunning(old_ranks[1]));
  CHECK(Runs(cluster.Await(id, [](const pb::Job&) { return true; }), 2));
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
}

}  // namespace
}  // namespace rm::integration
