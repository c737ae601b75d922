// What a replay is worth: the figures by which policies are compared.
#ifndef RM_TOOLS_BENCH_SCHEDULE_REPORT_H_
#define RM_TOOLS_BENCH_SCHEDULE_REPORT_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "tools/bench/schedule_replay.h"
#include "tools/bench/trace.h"

namespace rm::bench {

// Adds to `line` (hours; over the jobs that were not rejected; pNN by nearest rank):
//   jobs, rejected               jobs of the trace, and those that could never run
//   mean_jct_h … p99_jct_h       job completion time = end - submission
//   mean_queue_h                 time submitted and not on slots: jct - duration - restarts paid
//   makespan_h                   last end - first submission
//   utilisation                  slots * duration of all jobs, over all slots * makespan
//   occupied                     the same of slots held, with restarts and idle rests of whole nodes
//   preemptions                  times that a running job had to leave
//   jain_daily                   Jain's index of fairness among groups, mean over the days (below)
void AddScheduleFigures(const std::vector<TraceJob>& trace, const ReplayOptions& options,
                        const ReplayResult& result, base::Json& line);

// Jain's index (Σx)² / (n Σx²), x being the slot-hours that each of n groups got in one day, all
// groups having equal weights, among the groups that had a job submitted and not ended in that day;
// the mean over the days with at least two such groups. 1: all got the same; 1/n: one got all. 1
// when there is no such day.
[[nodiscard]] double DailyJainIndex(const std::vector<TraceJob>& trace, const ReplayOptions& options,
                                    const ReplayResult& result);

// One line a run of a job, in order of time: begin_s,stop_s,job_id,nodes (joined by a plus).
[[nodiscard]] std::string DecisionLines(const std::vector<TraceJob>& trace,
                                        const ReplayResult& result);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_SCHEDULE_REPORT_H_
