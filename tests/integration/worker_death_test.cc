// A worker daemon that is killed takes its ranks with it, and its jobs go on elsewhere or say what they wait for.

#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "tests/integration/long_job.h"
#include "tests/integration/process_table.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

constexpr absl::Duration kRecoversWithin = absl::Seconds(5);

// The worker that holds this rank.
std::string WorkerOf(const pb::Job& job, int rank) {
  for (const pb::Placement& placement : job.placement()) {
    if (placement.rank() == rank) return placement.worker_id();
  }
  FAIL("no worker holds the rank");
  return "";
}

// Ranks are children of their worker's loop; the kernel kills them with it, before anyone is asked.
void CheckDieAtOnce(const std::vector<int>& pids) {
  const absl::Time deadline = absl::Now() + absl::Seconds(2);
  for (const int pid : pids) {
    while (IsRunning(pid) && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
    CHECK_FALSE(IsRunning(pid));
  }
}

std::vector<int> RanksOn(const TestCluster& cluster, const std::string& id, const pb::Job& job,
                         const std::string& worker) {
  std::vector<int> found;
  const std::vector<int> pids = cluster.RankPids(id);
  for (size_t rank = 0; rank < pids.size(); ++rank) {
    if (WorkerOf(job, static_cast<int>(rank)) == worker) found.push_back(pids[rank]);
  }
  return found;
}

TEST_CASE("the ranks of a killed worker die with it, and the job goes on on another within seconds") {
  TestCluster cluster(3, 1);
  LongJob wanted;
  wanted.name = "moved";
  const std::string id = SubmitLong(cluster, wanted);
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.progress().step() > 200 && job.last_checkpoint_step() > 0;
  });
  const std::string victim = WorkerOf(before, 1);
  const std::vector<int> pids = cluster.RankPids(id);
  const std::vector<int> doomed = RanksOn(cluster, id, before, victim);
  REQUIRE(doomed.size() == 1);
  const absl::Time death = absl::Now();
  cluster.Kill(victim);
  CheckDieAtOnce(doomed);
  const pb::Job after = cluster.Await(id, [&](const pb::Job& job) {
    return Runs(job, 2) && job.progress().step() > 0 &&
           job.progress().updated_ns() > absl::ToUnixNanos(death);
  });
  const absl::Duration took = absl::FromUnixNanos(after.progress().updated_ns()) - death;
  std::printf("worker killed: next applied step after %s\n", absl::FormatDuration(took).c_str());
  CHECK(took < kRecoversWithin);
  CHECK(WorkerOf(after, 0) != victim);
  CHECK(WorkerOf(after, 1) != victim);
  for (const int pid : pids) CHECK_FALSE(IsRunning(pid));
  cluster.AwaitWorkers(pb::LOST, 1);
  const std::string events = cluster.Trainctl("events " + id).out;
  INFO(events);
  CHECK((absl::StrContains(events, "WorkerLost") || absl::StrContains(events, "RankLost")));

  // The one that was lost comes back under its name and is as good as before.
  cluster.RestartWorker(victim.back() - '0');
  cluster.AwaitWorkers(pb::READY, 3);
  CHECK(Runs(cluster.Await(id, [](const pb::Job&) { return true; }), 2));
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
  CHECK(cluster.TemporaryFiles().empty());
}

TEST_CASE("a job for which no worker is left says what it waits for, and goes on when one comes") {
  TestCluster cluster(2, 1);
  LongJob wanted;
  wanted.name = "waiting";
  const std::string id = SubmitLong(cluster, wanted);
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.last_checkpoint_step() > 0;
  });
  cluster.Kill(WorkerOf(before, 0));
  cluster.AwaitWorkers(pb::LOST, 1);
  cluster.Await(id, [](const pb::Job& job) {
    return job.state() == pb::RECOVERING || job.state() == pb::QUEUED;
  });
  const Outcome why = cluster.Trainctl("why " + id);
  INFO(why.out);
  CHECK(why.code == 0);
  CHECK(absl::StrContains(why.out, "WaitingForSlots"));
  CHECK(absl::StrContains(why.out, "lacks slots for 1 rank"));
  CHECK(absl::StrContains(cluster.Trainctl("events " + id).out, WorkerOf(before, 0)));
  cluster.RestartWorker(WorkerOf(before, 0).back() - '0');
  const pb::Job after = cluster.Await(id, [&](const pb::Job& job) {
    return Runs(job, 2) && job.progress().step() > before.last_checkpoint_step();
  });
  CHECK(after.restarts() == 1);
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
}

TEST_CASE("a worker that is back before it is missed finds its ranks gone and its job recovered") {
  TestCluster cluster(2, 1);
  LongJob wanted;
  wanted.name = "blink";
  const std::string id = SubmitLong(cluster, wanted);
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.last_checkpoint_step() > 0;
  });
  const std::string victim = WorkerOf(before, 1);
  cluster.Kill(victim);
  cluster.RestartWorker(victim.back() - '0');  // within the 1.5 s
  cluster.Await(id, [&](const pb::Job& job) {
    return Runs(job, 2) && job.progress().step() > before.last_checkpoint_step();
  });
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
}

TEST_CASE("a worker that is told to stop takes its ranks along and leaves at once") {
  TestCluster cluster(2, 1);
  const std::string id = SubmitLong(cluster, LongJob());
  const pb::Job before = cluster.Await(id, [](const pb::Job& job) {
    return Runs(job, 1) && job.last_checkpoint_step() > 0;
  });
  const std::string leaver = WorkerOf(before, 1);
  const std::vector<int> doomed = RanksOn(cluster, id, before, leaver);
  ::kill(cluster.PidOf(leaver), SIGTERM);
  CheckDieAtOnce({cluster.PidOf(leaver)});
  CheckDieAtOnce(doomed);
  CHECK(cluster.Trainctl("kill -y " + id).code == 0);
}

}  // namespace
}  // namespace rm::integration
