// A rank that dies, in every way it can: what it costs, what is said, and that nothing of it stays.

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/long_job.h"
#include "tests/integration/process_table.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

// The promise to users, from the death of a rank to the next applied step.
constexpr absl::Duration kRecoversWithin = absl::Seconds(5);

// Waits until generation g+1 has applied a step after `death`; returns how long that took.
absl::Duration AwaitNextStep(const TestCluster& cluster, const std::string& id, int64_t generation,
                             absl::Time death) {
  const int64_t death_ns = absl::ToUnixNanos(death);
  const pb::Job job = cluster.Await(id, [&](const pb::Job& now) {
    return now.generation() == generation + 1 && now.progress().step() > 0 &&
           now.progress().updated_ns() > death_ns && now.state() != pb::RECOVERING;
  });
  return absl::FromUnixNanos(job.progress().updated_ns()) - death;
}

// The time from a death until the job's state says so, by its events.
absl::Duration TimeToDetect(const TestCluster& cluster, const std::string& id, absl::Time death) {
  absl::Duration found = absl::InfiniteDuration();
  pb::EventsRequest request;
  request.set_job_id(id);
  const auto status = cluster.client().Events(request, [&](const pb::JobEvent& event) {
    const absl::Time at = absl::FromUnixNanos(event.transition().time_ns());
    if (event.transition().to() == pb::RECOVERING && at > death) found = std::min(found, at - death);
    return true;
  });
  CHECK(status.ok());
  return found;
}

// A sanitizer would turn a crash into a report and an exit code; here the signal itself is to be
// seen. Daemons and ranks inherit this.
void LetSignalsKill() {
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    const char* given = std::getenv(name);
    const std::string options = given == nullptr ? "" : absl::StrCat(given, ":");
    ::setenv(name, absl::StrCat(options, "handle_segv=0:handle_sigbus=0").c_str(), 1);
  }
}

TEST_CASE("however a rank dies, the job goes on within seconds and learns what it would have learnt") {
  LetSignalsKill();
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "dying";
  const std::string id = SubmitLong(cluster, wanted);
  const struct {
    int signal;
    int rank;
    const char* said;
  } deaths[] = {
      {SIGKILL, 1, "signal 9"},
      {SIGABRT, 0, "signal 6"},
      {SIGSEGV, 1, "signal 11"},
      {SIGBUS, 0, "signal 7"},
  };
  int64_t generation = 1;
  for (const auto& death : deaths) {
    CAPTURE(death.said);
    const int64_t at_least = 200 * generation;  // each time further
    cluster.Await(id, [&](const pb::Job& job) {
      return Runs(job, generation) && job.progress().step() >= at_least &&
             job.last_checkpoint_step() >= at_least - 100;
    });
    const std::vector<int> before = cluster.RankPids(id);
    REQUIRE(before.size() == 2);
    const absl::Time now = absl::Now();
    ::kill(before[static_cast<size_t>(death.rank)], death.signal);
    const absl::Duration took = AwaitNextStep(cluster, id, generation, now);
    const absl::Duration detected = TimeToDetect(cluster, id, now);
    std::printf("rank %d, %s: seen after %s, next applied step after %s\n", death.rank, death.said,
                absl::FormatDuration(detected).c_str(), absl::FormatDuration(took).c_str());
    CHECK(took < kRecoversWithin);
    for (const int pid : before) CHECK_FALSE(IsRunning(pid));
    const std::string events = cluster.Trainctl("events " + id).out;
    CHECK(absl::StrContains(events, absl::StrCat("RankLost: rank ", death.rank, " of job ", id)));
    CHECK(absl::StrContains(events, death.said));
    ++generation;
  }
  const pb::Job job = cluster.Await(id, [](const pb::Job& now) { return Runs(now, 5); });
  CHECK(job.restarts() == 4);
  CheckAgainstUndisturbed(cluster, wanted, StopAndRead(cluster, id));
  CHECK(cluster.RankPids(id).empty());
  CHECK(cluster.TemporaryFiles().empty());
}

TEST_CASE("a rank that is told to leave by SIGTERM saves first, and the job goes on from there") {
  TestCluster cluster;
  LongJob wanted;
  wanted.save_every = 1000000;
  const std::string id = SubmitLong(cluster, wanted);
  cluster.Await(id, [&](const pb::Job& job) { return Runs(job, 1) && job.progress().step() > 100; });
  ::kill(cluster.RankPids(id).at(0), SIGTERM);
  const pb::Job job = cluster.Await(id, [](const pb::Job& now) {
    return now.generation() == 2 || now.ended_ns() > 0;
  });
  INFO(job.ShortDebugString());
  CHECK(job.generation() == 2);
  CHECK(job.last_checkpoint_step() > 100);
  CHECK(cluster.Trainctl("kill -y " + id).code == 0);
}

TEST_CASE("a rank that may not have the memory it needs ends with its reason, and is not tried for ever") {
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "starved";
  wanted.steps = 100000000;
  wanted.flags = "--set scheduling.max_restarts=1";
  const std::string id = SubmitLong(cluster, wanted);
  for (const int64_t generation : {1, 2}) {
    cluster.Await(id, [&](const pb::Job& job) {
      return Runs(job, generation) && job.progress().step() > 0;
    });
    // No more address space than now: what it asks for next (a checkpoint's copy, a new thread) is refused.
    const rlimit limit = {1 << 20, 1 << 20};
    const std::vector<int> pids = cluster.RankPids(id);
    REQUIRE(pids.size() == 2);
    REQUIRE(::prlimit(pids[1], RLIMIT_AS, &limit, nullptr) == 0);
    if (generation == 1) {
      cluster.Await(id, [](const pb::Job& job) { return job.generation() == 2; });
    }
  }
  const pb::Job job = cluster.AwaitEnd(id);
  CHECK(job.state() == pb::FAILED);
  INFO(job.reason().ShortDebugString());
  CHECK(absl::StrContains(job.reason().sentence(), "rank 1"));
}

// A group of processes that may use so much memory, as Slurm and Kubernetes make them for a job. Gone with the object.
class MemoryGroup {
 public:
  explicit MemoryGroup(int64_t bytes) {
    const std::string name = absl::StrCat("/rm-test-", ::getpid());
    // Version 1 has a tree for each resource, version 2 one for all.
    const struct {
      const char* root;
      const char* limit;
    } trees[] = {{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}};
    for (const auto& tree : trees) {
      path_ = tree.root + name;
      if (::mkdir(path_.c_str(), 0755) != 0) continue;
      std::ofstream limit(path_ + "/" + tree.limit);
      limit << bytes << std::flush;
      if (limit.good()) return;
      ::rmdir(path_.c_str());
    }
    path_.clear();
  }
  ~MemoryGroup() {
    if (!path_.empty()) ::rmdir(path_.c_str());
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  [[nodiscard]] bool made() const { return !path_.empty(); }
  // Words before a command that is to run in the group.
  [[nodiscard]] std::vector<std::string> Words() const {
    return {"/bin/sh", "-c", absl::StrCat("echo $$ > ", path_, "/cgroup.procs; exec \"$@\""), "sh"};
  }

 private:
  std::string path_;
};

TEST_CASE("a rank that the kernel kills for want of memory is said to be that, and not tried for ever") {
  const MemoryGroup group(80 << 20);
  if (!group.made()) {
    std::printf("SKIPPED: a cgroup with a memory limit may not be made here\n");
    return;
  }
  TestCluster cluster(1, 2);
  cluster.Kill("worker-1");
  cluster.RestartWorker(1, group.Words());
  cluster.AwaitWorkers(pb::READY, 1);
  // 25 MB of weights, as much of gradients and of momentum for each rank: more than the group may have.
  const std::string id = cluster.Submit(cluster.JobFile("hungry", 2, "  steps: 1000000\n"),
                                        "--set model.params.hidden1=8192");
  const pb::Job job = cluster.AwaitEnd(id);
  INFO(job.ShortDebugString() << cluster.Trainctl("events " + id).out);
  CHECK(job.state() == pb::FAILED);
  // It fails at the same step again: not all of the five restarts are tried.
  CHECK(job.restarts() == 1);
  CHECK(absl::StrContains(job.reason().sentence(), "want of memory"));
  CHECK(absl::StrContains(job.reason().sentence(), "another restart would not help"));
  cluster.Kill("worker-1");  // before its group goes
}

TEST_CASE("restarts that are used up end the job with the cause of the last one") {
  TestCluster cluster;
  LongJob wanted;
  wanted.name = "unlucky";
  wanted.steps = 100000000;
  wanted.flags = "--set scheduling.max_restarts=2";
  const std::string id = SubmitLong(cluster, wanted);
  int64_t step = 0;
  for (const int64_t generation : {1, 2, 3}) {
    // Each time further: this is bad luck, not a failure that repeats at the same step.
    const pb::Job job = cluster.Await(id, [&](const pb::Job& now) {
      return Runs(now, generation) && now.progress().step() > step + 400;
    });
    step = job.progress().step();
    ::kill(cluster.RankPids(id).at(1), SIGKILL);
  }
  const Outcome wait = cluster.Trainctl("wait " + id);
  INFO(wait.err);
  CHECK(wait.code == 100);
  CHECK(absl::StrContains(wait.err, "rank 1"));
  CHECK(absl::StrContains(wait.err, "signal 9"));
  CHECK(cluster.Job(id).Find("restarts")->number_or(0) == 2);
  CHECK(cluster.RankPids(id).empty());
}

}  // namespace
}  // namespace rm::integration
