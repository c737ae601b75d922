#include "tools/bench/schedule_report.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace rm::bench {
namespace {

constexpr int64_t kHour = 3600;
constexpr int64_t kDay = 24 * kHour;

TraceJob JobOf(int64_t submit, int64_t slots, int64_t duration, const std::string& group) {
  TraceJob job;
  job.name = "x" + std::to_string(submit);
  job.submit = submit;
  job.slots = slots;
  job.duration = duration;
  job.group = group;
  return job;
}

ReplayedJob Ran(std::vector<ReplayRun> runs) {
  ReplayedJob job;
  job.first_start = runs.front().begin;
  job.end = runs.back().stop;
  job.runs = std::move(runs);
  return job;
}

TEST_CASE("the figures of two jobs, one of them restarted, and one that was refused") {
  ReplayOptions options;
  options.nodes = 2;
  options.slots = 4;
  const std::vector<TraceJob> trace = {JobOf(0, 5, kHour, "a"), JobOf(kHour, 1, 2 * kHour, "a"),
                                       JobOf(kHour, 99, 1, "a")};
  ReplayResult result;
  result.jobs.push_back(Ran({{0, kHour, 0, {"n0", "n1"}}}));
  result.jobs.push_back(Ran({{kHour, 2 * kHour, 0, {"n0"}}, {3 * kHour, 5 * kHour, kHour, {"n0"}}}));
  result.jobs.emplace_back();
  result.jobs.back().rejected = true;
  result.preemptions = 1;
  base::Json line;
  AddScheduleFigures(trace, options, result, line);
  CHECK(line.Find("jobs")->int_or(0) == 3);
  CHECK(line.Find("rejected")->int_or(0) == 1);
  CHECK(line.Find("mean_jct_h")->number_or(0) == Approx(2.5));
  CHECK(line.Find("median_jct_h")->number_or(0) == Approx(1));
  CHECK(line.Find("p99_jct_h")->number_or(0) == Approx(4));
  CHECK(line.Find("mean_queue_h")->number_or(0) == Approx(0.5));  // 4 - 2 - 1 h, over two jobs
  CHECK(line.Find("makespan_h")->number_or(0) == Approx(5));
  CHECK(line.Find("utilisation")->number_or(0) == Approx(7.0 / 40));
  CHECK(line.Find("occupied")->number_or(0) == Approx(11.0 / 40));  // 5 slots take 8
  CHECK(line.Find("preemptions")->int_or(0) == 1);
}

TEST_CASE("Jain's index is 1 for equal shares and falls to 1/n when one group has all") {
  ReplayOptions options;
  const std::vector<TraceJob> trace = {JobOf(0, 1, kHour, "a"), JobOf(0, 1, kHour, "b")};
  ReplayResult equal;
  equal.jobs = {Ran({{0, kHour, 0, {"n0"}}}), Ran({{0, kHour, 0, {"n1"}}})};
  CHECK(DailyJainIndex(trace, options, equal) == Approx(1));
  // On the first day group a has all, on the second group b.
  ReplayResult apart;
  apart.jobs = {Ran({{0, kDay - 1, 0, {"n0"}}}), Ran({{kDay, 2 * kDay - 1, 0, {"n0"}}})};
  CHECK(DailyJainIndex(trace, options, apart) == Approx((0.5 + 1) / 2).margin(0.26));
  // Demand lasts from the submission to the end: b wanted slots on the first day, too.
  ReplayResult waits;
  waits.jobs = {Ran({{0, kHour, 0, {"n0"}}}), Ran({{kHour, kHour + 60, 0, {"n0"}}})};
  CHECK(DailyJainIndex(trace, options, waits) < 0.6);
}

TEST_CASE("without a day with two groups nothing was unfair") {
  ReplayOptions options;
  const std::vector<TraceJob> trace = {JobOf(0, 1, kHour, "a")};
  ReplayResult one;
  one.jobs = {Ran({{0, kHour, 0, {"n0"}}})};
  CHECK(DailyJainIndex(trace, options, one) == 1);
}

TEST_CASE("decisions are the runs in order of time") {
  const std::vector<TraceJob> trace = {JobOf(0, 8, 5, ""), JobOf(1, 1, 5, "")};
  ReplayResult result;
  result.jobs = {Ran({{9, 14, 0, {"n0", "n1"}}}), Ran({{1, 6, 0, {"n0"}}})};
  CHECK(DecisionLines(trace, result) ==
        "begin_s,stop_s,job_id,nodes\n1,6,x1,n0\n9,14,x0,n0+n1\n");
}

}  // namespace
}  // namespace rm::bench
