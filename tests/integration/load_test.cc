// A machine that is busier than it can be: everybody is late, and nobody is lost for it.

#include <sched.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/child.h"
#include "tests/integration/long_job.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

// How long the load lasts: shorter in the plain run, two minutes when RM_LOAD_SECONDS=120 says so.
absl::Duration LoadTime() {
  const char* text = std::getenv("RM_LOAD_SECONDS");  // NOLINT(concurrency-mt-unsafe)
  int seconds = 0;
  if (text != nullptr && absl::SimpleAtoi(text, &seconds) && seconds > 0) return absl::Seconds(seconds);
  return absl::Seconds(20);
}

// What a compile does to a machine: processes that compute, that are made and end all the time, and that write files.
std::vector<std::unique_ptr<Child>> StartLoad(const TestCluster& cluster, int count) {
  std::vector<std::unique_ptr<Child>> load;
  for (int i = 0; i < count; ++i) {
    const std::string scratch = cluster.File(absl::StrCat("load-", i));
    const std::string script = absl::StrCat(
        "while :; do n=0; while [ $n -lt 20000 ]; do n=$((n + 1)); done; ",
        "head -c 4000000 /dev/urandom | sort > ", scratch, "; rm ", scratch, "; done");
    load.push_back(std::make_unique<Child>(std::vector<std::string>{"/bin/sh", "-c", script},
                                           cluster.File("load.out")));
  }
  return load;
}

// Events that say that somebody was given up or suspected.
std::string Complaints(const TestCluster& cluster) {
  std::string found;
  pb::EventsRequest request;
  const auto status = cluster.client().Events(request, [&](const pb::JobEvent& event) {
    const std::string text = event.ShortDebugString();
    for (const char* word : {"WorkerLost", "RankLost", "RankHung", "WorkerSilent", "SUSPECT", "LOST",
                             "ABSENT", "RECOVERING"}) {
      if (absl::StrContains(text, word)) absl::StrAppend(&found, text, "\n");
    }
    return true;
  });
  CHECK(status.ok());
  return found;
}

TEST_CASE("eight ranks beside a load that takes all the machine has lose nobody") {
  TestCluster cluster(4, 2);
  LongJob wanted;
  wanted.name = "crowded";
  wanted.ranks = 8;
  const std::string id = SubmitLong(cluster, wanted);
  cluster.Await(id, [](const pb::Job& job) { return Runs(job, 1) && job.progress().step() > 0; });
  const std::vector<int> pids = cluster.RankPids(id);
  REQUIRE(pids.size() == 8);
  cpu_set_t cores;
  REQUIRE(::sched_getaffinity(0, sizeof(cores), &cores) == 0);
  auto load = StartLoad(cluster, 3 * CPU_COUNT(&cores));
  const absl::Time end = absl::Now() + LoadTime();
  int64_t step = 0;
  absl::Duration longest = absl::ZeroDuration();
  absl::Time moved = absl::Now();
  while (absl::Now() < end) {
    const auto job = cluster.client().Get(id);
    REQUIRE(job.ok());
    REQUIRE(Runs(*job, 1));
    if (job->progress().step() > step) {
      step = job->progress().step();
      longest = std::max(longest, absl::Now() - moved);
      moved = absl::Now();
    }
    absl::SleepFor(absl::Milliseconds(200));
  }
  load.clear();
  std::printf("%s of load on %d cores: %lld steps, longest stand-still %s\n",
              absl::FormatDuration(LoadTime()).c_str(), CPU_COUNT(&cores),
              static_cast<long long>(step), absl::FormatDuration(longest).c_str());
  CHECK(Complaints(cluster).empty());
  CHECK(cluster.RankPids(id) == pids);
  const pb::Job job = cluster.Await(id, [&](const pb::Job& now) { return now.progress().step() > step; });
  CHECK(job.generation() == 1);
  CHECK(job.restarts() == 0);
  CHECK(cluster.client().Kill(id).ok());
}

}  // namespace
}  // namespace rm::integration
