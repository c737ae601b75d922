// The replay against cases that were worked out by hand, and against a second simulator that goes
// second by second and knows nothing of the scheduler.
#include "tools/bench/schedule_replay.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "scheduler/policy/policy.h"

namespace rm::bench {
namespace {

// submit, slots, duration, requested (0: as long as it runs).
struct Row {
  int64_t submit;
  int64_t slots;
  int64_t duration;
  int64_t requested = 0;
};

std::vector<TraceJob> TraceOf(const std::vector<Row>& rows) {
  std::vector<TraceJob> trace;
  for (const Row& row : rows) {
    TraceJob job;
    job.name = std::to_string(trace.size());
    job.submit = row.submit;
    job.slots = row.slots;
    job.duration = row.duration;
    job.requested = row.requested;
    trace.push_back(job);
  }
  return trace;
}

ReplayResult Run(const std::string& policy, int64_t nodes, int64_t slots,
                 const std::vector<TraceJob>& trace, double factor = 1) {
  ReplayOptions options;
  options.policy = policy;
  options.nodes = nodes;
  options.slots = slots;
  options.estimate_factor = factor;
  options.restart_cost = 10;
  auto result = Replay(trace, options);
  REQUIRE(result.ok());
  return *std::move(result);
}

std::vector<int64_t> Ends(const ReplayResult& result) {
  std::vector<int64_t> ends;
  for (const ReplayedJob& job : result.jobs) ends.push_back(job.end);
  return ends;
}

using EndTimes = std::vector<int64_t>;

// The wide second job waits for the first.
const std::vector<Row> kThird = {{0, 3, 100}, {1, 4, 50}, {2, 1, 20}, {3, 1, 200}};

TEST_CASE("nobody overtakes under fifo, whoever fits does under first_fit") {
  CHECK(Ends(Run("fifo", 1, 4, TraceOf(kThird))) == EndTimes{100, 150, 170, 350});
  CHECK(Ends(Run("first_fit", 1, 4, TraceOf(kThird))) == EndTimes{100, 272, 22, 222});
}

TEST_CASE("under easy a job overtakes only when it does not delay the head") {
  // Job 2 ends before the reservation at 100, job 3 does not.
  CHECK(Ends(Run("easy", 1, 4, TraceOf(kThird))) == EndTimes{100, 150, 22, 350});
  CHECK(Ends(Run("easy", 1, 4, TraceOf(kThird), 10)) == EndTimes{100, 150, 22, 350});
  // The first job is expected to end at 10, too soon for job 2; once it is overdue, "in 1 s".
  CHECK(Ends(Run("easy", 1, 4, TraceOf({{0, 3, 100, 10}, {1, 4, 50}, {2, 1, 20}, {3, 1, 200}}))) ==
        EndTimes{100, 150, 170, 350});
  CHECK(Ends(Run("easy", 1, 4, TraceOf({{0, 3, 100, 10}, {1, 4, 50}, {20, 1, 1}}))) ==
        EndTimes{100, 150, 21});
  // Node 1 is reserved at 60 and node 0 has no room for the last job.
  CHECK(Ends(Run("easy", 2, 4,
                 TraceOf({{0, 4, 100}, {0, 2, 60}, {1, 4, 50}, {2, 2, 500}, {3, 2, 500}}))) ==
        EndTimes{100, 60, 110, 600, 600});
  // Beside the reservation there is room.
  CHECK(Ends(Run("easy", 2, 4, TraceOf({{0, 4, 50}, {0, 2, 900}, {1, 4, 50}, {2, 2, 500}}))) ==
        EndTimes{50, 900, 100, 502});
}

TEST_CASE("easy is told nothing, so nothing overtakes the head") {
  CHECK(Ends(Run("easy", 1, 4, TraceOf(kThird), 0)) == EndTimes{100, 150, 170, 350});
}

TEST_CASE("a gang that is larger than a node takes nodes that are entirely free") {
  // 2 + 2 slots are free, but not on one node; eight slots want both nodes.
  CHECK(Ends(Run("first_fit", 2, 4, TraceOf({{0, 3, 10}, {0, 3, 30}, {1, 2, 5}, {2, 8, 7}}))) ==
        EndTimes{10, 30, 15, 37});
  const ReplayResult wide = Run("fifo", 3, 4, TraceOf({{0, 5, 10}, {0, 4, 10}, {0, 1, 10}}));
  CHECK(Ends(wide) == EndTimes{10, 10, 20});
  CHECK(wide.jobs[0].runs[0].nodes == std::vector<std::string>{"n0", "n1"});
}

TEST_CASE("what could never run is refused, and nobody waits for it") {
  const ReplayResult result = Run("fifo", 2, 4, TraceOf({{0, 9, 5}, {0, 8, 5}, {0, 0, 5}}));
  CHECK(result.jobs[0].rejected);
  CHECK(result.jobs[2].rejected);
  CHECK(Ends(result) == EndTimes{-1, 5, -1});
}

TEST_CASE("with any placement only the count of slots matters") {
  ReplayOptions options;
  options.policy = "fifo";
  options.nodes = 2;
  options.slots = 4;
  options.locality = Locality::kAny;
  const auto result = Replay(TraceOf({{0, 3, 10}, {0, 5, 10}}), options);
  REQUIRE(result.ok());
  CHECK(Ends(*result) == EndTimes{10, 10});
}

// Before ten jobs have ended, adaptive takes for small what has had less than 2^14 slot-seconds.
TEST_CASE("under adaptive a large job makes room for one that may be small, and pays for its restart") {
  CHECK(Ends(Run("adaptive", 1, 4, TraceOf({{0, 4, 10000}, {6000, 4, 100}}), 0)) ==
        EndTimes{10110, 6100});
  // It has its head start to itself: 2^14 / 4 seconds.
  CHECK(Ends(Run("adaptive", 1, 4, TraceOf({{0, 4, 10000}, {3000, 4, 100}}), 0)) ==
        EndTimes{10110, 4196});
  // Nobody is stopped where there is room.
  CHECK(Run("adaptive", 1, 4, TraceOf({{0, 2, 10000}, {6000, 2, 100}}), 0).preemptions == 0);
}

TEST_CASE("under adaptive gangs move together when there is room in pieces only") {
  const ReplayResult result = Run(
      "adaptive", 2, 4,
      TraceOf({{0, 2, 1000}, {0, 2, 10}, {0, 2, 1000}, {0, 2, 10}, {700, 4, 50}}), 0);
  CHECK(Ends(result) == EndTimes{1010, 10, 1000, 10, 750});
  CHECK(result.preemptions == 1);
  CHECK(result.jobs[0].runs[1].nodes == std::vector<std::string>{"n1"});
  CHECK(result.jobs[4].runs[0].nodes == std::vector<std::string>{"n0"});
}

TEST_CASE("a gang that has just started runs for ten minutes before it makes room") {
  // The second job takes the place of the first at 6000; the third is no more important. Then the
  // large one goes on at 6200, and the fourth waits for its slots until 6800.
  const ReplayResult result = Run(
      "adaptive", 1, 4, TraceOf({{0, 4, 10000}, {6000, 4, 100}, {6050, 4, 100}, {6300, 4, 100}}),
      0);
  CHECK(Ends(result) == EndTimes{10320, 6100, 6200, 6900});
}

TEST_CASE("under las the job that has had least goes first") {
  // Its first threshold is a quarter of 10 slot-hours: 2250 s on 4 slots.
  CHECK(Ends(Run("las", 1, 4, TraceOf({{0, 4, 4000}, {3000, 4, 100}}), 0)) ==
        EndTimes{4110, 3100});
  CHECK(Ends(Run("las", 1, 4, TraceOf({{0, 4, 2000}, {100, 4, 100}}), 0)) ==
        EndTimes{2000, 2100});
}

TEST_CASE("an unknown policy is an error") {
  ReplayOptions options;
  options.policy = "best";
  CHECK_FALSE(Replay({}, options).ok());
}

std::vector<TraceJob> RandomTrace(base::RandomStream& random, int count, int64_t biggest) {
  std::vector<Row> rows;
  const int64_t sizes[] = {1, 1, 2, 3, 4, 5, 8, biggest, biggest + 1};
  for (int i = 0; i < count; ++i) {
    rows.push_back({static_cast<int64_t>(random.NextBelow(150)), sizes[random.NextBelow(9)],
                    1 + static_cast<int64_t>(random.NextBelow(30))});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.submit < b.submit; });
  return TraceOf(rows);
}

// FIFO or first fit again, second by second: job → (start, nodes).
using Starts = std::map<size_t, std::pair<int64_t, std::vector<int64_t>>>;

// The fullest node with room, or the first free ones for a gang that is larger than a node.
std::vector<int64_t> FindNodes(const std::vector<int64_t>& free, int64_t slots, int64_t need) {
  std::vector<int64_t> found;
  const auto count = static_cast<int64_t>(free.size());
  if (need > slots) {
    for (int64_t n = 0; n < count && static_cast<int64_t>(found.size()) * slots < need; ++n) {
      if (free[static_cast<size_t>(n)] == slots) found.push_back(n);
    }
    if (static_cast<int64_t>(found.size()) * slots < need) found.clear();
    return found;
  }
  int64_t best = -1;
  for (int64_t n = 0; n < count; ++n) {
    const int64_t room = free[static_cast<size_t>(n)];
    if (room >= need && (best < 0 || room < free[static_cast<size_t>(best)])) best = n;
  }
  if (best >= 0) found.push_back(best);
  return found;
}

Starts SecondBySecond(const std::vector<TraceJob>& trace, int64_t nodes, int64_t slots,
                      bool overtake) {
  std::vector<int64_t> free(static_cast<size_t>(nodes), slots);
  std::map<size_t, int64_t> left;  // running job → seconds left
  std::vector<size_t> queue;
  Starts starts;
  for (int64_t t = 0; t < 5000; ++t) {
    for (auto job = left.begin(); job != left.end();) {
      if (--job->second > 0) {
        ++job;
        continue;
      }
      const int64_t share = std::min(trace[job->first].slots, slots);
      for (const int64_t n : starts[job->first].second) free[static_cast<size_t>(n)] += share;
      job = left.erase(job);
    }
    for (size_t i = 0; i < trace.size(); ++i) {
      if (trace[i].submit == t && trace[i].slots <= nodes * slots) queue.push_back(i);
    }
    for (size_t at = 0; at < queue.size();) {
      const TraceJob& job = trace[queue[at]];
      const std::vector<int64_t> found = FindNodes(free, slots, job.slots);
      if (found.empty() && !overtake) break;
      if (found.empty()) {
        ++at;
        continue;
      }
      for (const int64_t n : found) free[static_cast<size_t>(n)] -= std::min(job.slots, slots);
      starts[queue[at]] = {t, found};
      left[queue[at]] = job.duration;
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  return starts;
}

TEST_CASE("random traces start as in a simulator that goes second by second") {
  base::RandomStream random(7, 0);
  const std::pair<int64_t, int64_t> kClusters[] = {{3, 4}, {2, 6}, {12, 1}, {1, 12}};
  for (int round = 0; round < 40; ++round) {
    const auto [nodes, slots] = kClusters[round % 4];
    const std::vector<TraceJob> trace = RandomTrace(random, 40, 12);
    for (const bool overtake : {false, true}) {
      const Starts expected = SecondBySecond(trace, nodes, slots, overtake);
      const ReplayResult got = Run(overtake ? "first_fit" : "fifo", nodes, slots, trace);
      for (size_t i = 0; i < trace.size(); ++i) {
        CAPTURE(round, overtake, i);
        const auto start = expected.find(i);
        REQUIRE(got.jobs[i].rejected == (start == expected.end()));
        if (got.jobs[i].rejected) continue;
        REQUIRE(got.jobs[i].first_start == start->second.first);
        std::vector<std::string> names;
        for (const int64_t n : start->second.second) names.push_back("n" + std::to_string(n));
        REQUIRE(got.jobs[i].runs[0].nodes == names);
      }
    }
  }
}

// Holds the record of a replay against the model, whatever the policy.
void CheckRecord(const std::vector<TraceJob>& trace, const ReplayResult& result, int64_t slots) {
  std::map<std::string, std::vector<std::pair<int64_t, int64_t>>> changes;  // node → (time, slots)
  int64_t restarts = 0;
  for (size_t i = 0; i < trace.size(); ++i) {
    const ReplayedJob& job = result.jobs[i];
    if (job.rejected) continue;
    int64_t trained = 0;
    int64_t last = trace[i].submit;
    for (const ReplayRun& run : job.runs) {
      REQUIRE(last <= run.begin);
      REQUIRE(run.begin <= run.stop);
      trained += run.stop - run.begin - run.cost;
      last = run.stop;
      for (const std::string& node : run.nodes) {
        const int64_t share = std::min(trace[i].slots, slots);
        changes[node].emplace_back(2 * run.begin + 1, share);
        changes[node].emplace_back(2 * run.stop, -share);  // ends come before starts
      }
    }
    REQUIRE(trained == trace[i].duration);
    REQUIRE(last == job.end);
    restarts += static_cast<int64_t>(job.runs.size()) - 1;
  }
  REQUIRE(restarts == result.preemptions);
  for (auto& [node, list] : changes) {
    std::sort(list.begin(), list.end());
    int64_t used = 0;
    for (const auto& [time, delta] : list) {
      used += delta;
      REQUIRE(used <= slots);
    }
  }
}

TEST_CASE("every policy keeps the model: whole gangs, no slot held twice, all work done") {
  for (const scheduler::Policy& policy : scheduler::Policies()) {
    base::RandomStream random(11, 0);
    for (int round = 0; round < 10; ++round) {
      CAPTURE(policy.name, round);
      const std::vector<TraceJob> trace = RandomTrace(random, 60, 12);
      CheckRecord(trace, Run(std::string(policy.name), 3, 4, trace), 4);
    }
  }
}

// What was decided until `until`: every run that began by then, and its stop if that was before it.
std::vector<std::pair<size_t, ReplayRun>> DecidedBefore(const ReplayResult& result, int64_t until) {
  std::vector<std::pair<size_t, ReplayRun>> runs;
  for (size_t i = 0; i < result.jobs.size(); ++i) {
    for (const ReplayRun& run : result.jobs[i].runs) {
      if (run.begin >= until) continue;
      runs.emplace_back(i, run);
      if (run.stop >= until) runs.back().second.stop = -1;
    }
  }
  return runs;
}

TEST_CASE("how long a job goes on after a moment changes no decision before it") {
  for (const scheduler::Policy& policy : scheduler::Policies()) {
    base::RandomStream random(23, 0);
    for (int round = 0; round < 6; ++round) {
      // Long enough that jobs of all levels meet.
      std::vector<TraceJob> trace = RandomTrace(random, 80, 12);
      for (TraceJob& job : trace) {
        job.submit *= 300;
        job.duration *= 400;
      }
      const std::string name(policy.name);
      const ReplayResult before = Run(name, 3, 4, trace, 0);
      const int64_t until = 15000 + static_cast<int64_t>(random.NextBelow(60000));
      std::vector<TraceJob> other = trace;
      int changed = 0;
      for (size_t i = 0; i < trace.size(); ++i) {
        if (before.jobs[i].end < until) continue;
        other[i].duration += 1 + static_cast<int64_t>(random.NextBelow(50000));
        ++changed;
      }
      REQUIRE(changed > 0);
      const auto expected = DecidedBefore(before, until);
      const auto got = DecidedBefore(Run(name, 3, 4, other, 0), until);
      CAPTURE(name, round, until);
      REQUIRE(expected.size() == got.size());
      for (size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i].first == expected[i].first);
        CHECK(got[i].second.begin == expected[i].second.begin);
        CHECK(got[i].second.stop == expected[i].second.stop);
        CHECK(got[i].second.nodes == expected[i].second.nodes);
      }
    }
  }
}

// A gang of the whole cluster among a stream of small jobs that never ends: the cluster is never
// empty by itself.
TEST_CASE("under adaptive nobody starves: a job is overdue after its patience, and goes first") {
  std::vector<Row> rows = {{0, 12, 40000}};
  constexpr int64_t kWeek = 7 * 24 * 3600;
  // One in ten is larger, so that the others are small for sure. Load: 0.47.
  for (int64_t at = 20000; at < 2 * kWeek; at += 500) {
    rows.push_back(at % 5000 == 0 ? Row{at, 4, 5000} : Row{at, 1, 900});
  }
  const ReplayResult result = Run("adaptive", 3, 4, TraceOf(rows), 0);
  const ReplayedJob& wide = result.jobs[0];
  CHECK(wide.runs.size() > 1);         // it had to make room
  CHECK(wide.end > kWeek);                // and would wait on
  CHECK(wide.end <= kWeek + 40000 + 10 + 600);  // P + D + r + q
}

TEST_CASE("the same trace gives the same replay") {
  for (const scheduler::Policy& policy : scheduler::Policies()) {
    base::RandomStream random(3, 0);
    const std::vector<TraceJob> trace = RandomTrace(random, 60, 12);
    CHECK(Ends(Run(std::string(policy.name), 3, 4, trace)) ==
          Ends(Run(std::string(policy.name), 3, 4, trace)));
  }
}

}  // namespace
}  // namespace rm::bench
