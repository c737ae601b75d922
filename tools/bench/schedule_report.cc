#include "tools/bench/schedule_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rm::bench {
namespace {

constexpr double kHour = 3600;
constexpr int64_t kDay = 24 * 3600;

// Two decimals: the figures of the peer's script have as many.
double Hours(double seconds) { return std::round(seconds / kHour * 100) / 100; }

// The least value that a share `q` of the sorted `values` does not exceed.
int64_t NearestRank(const std::vector<int64_t>& values, double q) {
  const double rank = std::ceil(q * static_cast<double>(values.size())) - 1;
  return values[static_cast<size_t>(std::max(0.0, rank))];
}

// Slots that a job keeps from others: of whole nodes also those that it leaves idle.
int64_t Footprint(const TraceJob& job, const ReplayOptions& options) {
  if (options.locality == Locality::kAny || job.slots <= options.slots) return job.slots;
  return (job.slots + options.slots - 1) / options.slots * options.slots;
}

// Sums over the jobs that ran.
struct Sums {
  int64_t queued = 0;    // seconds
  int64_t work = 0;      // slot-seconds trained
  int64_t occupied = 0;  // slot-seconds held
  int64_t first_submit = 0;
  int64_t last_end = 0;
  std::vector<int64_t> completion_times;  // sorted
};

// A job that could never run is in no sum: it waited for nobody.
Sums SumUp(const std::vector<TraceJob>& trace, const ReplayOptions& options,
           const ReplayResult& result) {
  Sums sums;
  for (size_t i = 0; i < trace.size(); ++i) {
    const ReplayedJob& job = result.jobs[i];
    if (job.rejected) continue;
    if (sums.completion_times.empty()) sums.first_submit = trace[i].submit;
    int64_t paid = 0;
    for (const ReplayRun& run : job.runs) {
      paid += run.cost;
      sums.occupied += Footprint(trace[i], options) * (run.stop - run.begin);
    }
    const int64_t completion_time = job.end - trace[i].submit;
    sums.completion_times.push_back(completion_time);
    sums.queued += completion_time - trace[i].duration - paid;
    sums.work += trace[i].slots * trace[i].duration;
    sums.last_end = std::max(sums.last_end, job.end);
  }
  std::sort(sums.completion_times.begin(), sums.completion_times.end());
  return sums;
}

// Which groups wanted slots on a day, and the slot-seconds they got: day → group → got.
using Days = std::map<int64_t, std::map<std::string, double>>;

// A group that waits counts as much as one that runs: to have got nothing is what is unfair.
void AddDemand(const TraceJob& job, int64_t end, Days& days) {
  for (int64_t day = job.submit / kDay; day <= end / kDay; ++day) days[day][job.group] += 0;
}

// A run over midnight counts for each of its days.
void AddRun(const TraceJob& job, const ReplayRun& run, Days& days) {
  for (int64_t at = run.begin; at < run.stop;) {
    const int64_t until = std::min(run.stop, (at / kDay + 1) * kDay);
    days[at / kDay][job.group] += static_cast<double>(job.slots * (until - at));
    at = until;
  }
}

}  // namespace

void AddScheduleFigures(const std::vector<TraceJob>& trace, const ReplayOptions& options,
                        const ReplayResult& result, base::Json& line) {
  const Sums sums = SumUp(trace, options, result);
  const std::vector<int64_t>& times = sums.completion_times;
  line.Set("jobs", static_cast<int64_t>(trace.size()));
  line.Set("rejected", static_cast<int64_t>(trace.size() - times.size()));
  if (times.empty()) return;
  double total = 0;
  for (const int64_t time : times) total += static_cast<double>(time);
  const double count = static_cast<double>(times.size());
  const int64_t span = std::max<int64_t>(1, sums.last_end - sums.first_submit);
  const double capacity =
      static_cast<double>(options.nodes * options.slots) * static_cast<double>(span);
  const auto share = [capacity](int64_t slot_seconds) {
    return std::round(static_cast<double>(slot_seconds) / capacity * 1e4) / 1e4;
  };
  line.Set("mean_jct_h", Hours(total / count));
  line.Set("median_jct_h", Hours(static_cast<double>(NearestRank(times, 0.5))));
  line.Set("p90_jct_h", Hours(static_cast<double>(NearestRank(times, 0.9))));
  line.Set("p99_jct_h", Hours(static_cast<double>(NearestRank(times, 0.99))));
  line.Set("mean_queue_h", Hours(static_cast<double>(sums.queued) / count));
  line.Set("makespan_h", Hours(static_cast<double>(span)));
  line.Set("utilisation", share(sums.work));
  line.Set("occupied", share(sums.occupied));
  line.Set("preemptions", result.preemptions);
  line.Set("jain_daily", std::round(DailyJainIndex(trace, options, result) * 1e4) / 1e4);
}

// Days without demand of a second group say nothing of fairness, and a day on which nobody got
// anything has no index.
double DailyJainIndex(const std::vector<TraceJob>& trace, const ReplayOptions& /*options*/,
                      const ReplayResult& result) {
  Days days;
  for (size_t i = 0; i < trace.size(); ++i) {
    const ReplayedJob& job = result.jobs[i];
    if (job.rejected) continue;
    AddDemand(trace[i], job.end, days);
    for (const ReplayRun& run : job.runs) AddRun(trace[i], run, days);
  }
  double sum_of_indices = 0;
  int64_t counted = 0;
  for (const auto& [day, groups] : days) {
    double sum = 0;
    double squares = 0;
    for (const auto& [group, got] : groups) {
      sum += got;
      squares += got * got;
    }
    if (groups.size() < 2 || squares == 0) continue;
    sum_of_indices += sum * sum / (static_cast<double>(groups.size()) * squares);
    ++counted;
  }
  return counted == 0 ? 1 : sum_of_indices / static_cast<double>(counted);
}

// By time, then by job: two replays can be compared line by line.
std::string DecisionLines(const std::vector<TraceJob>& trace, const ReplayResult& result) {
  std::vector<std::tuple<int64_t, size_t, std::string>> lines;
  for (size_t i = 0; i < trace.size(); ++i) {
    for (const ReplayRun& run : result.jobs[i].runs) {
      lines.emplace_back(run.begin, i,
                         absl::StrCat(run.begin, ",", run.stop, ",", trace[i].name, ",",
                                      absl::StrJoin(run.nodes, "+"), "\n"));
    }
  }
  std::sort(lines.begin(), lines.end());
  std::string text = "begin_s,stop_s,job_id,nodes\n";
  for (const auto& line : lines) absl::StrAppend(&text, std::get<2>(line));
  return text;
}

}  // namespace rm::bench
