// Traces of jobs that once ran on a cluster: what a replay submits again.
#ifndef RM_TOOLS_BENCH_TRACE_H_
#define RM_TOOLS_BENCH_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rm::bench {

struct TraceJob {
  std::string name;
  int64_t submit = 0;     // seconds
  int64_t slots = 0;      // all at once
  int64_t duration = 1;   // seconds that it trains, at least 1
  std::string group;      // empty: none
  int64_t requested = 0;  // seconds that its user expected; 0: not said
};

// Reads a CSV with the header job_id,submit_s,gpus,cpus,mem_mib,duration_s,group[,requested_s]; the
// columns may stand in any order, and others are passed over. A job takes `gpus` slots, or `cpus`
// where gpus is empty or 0; fractions are cut off, and seconds rounded. `source` is named in errors.
//
// Returns the jobs in order of submission, as in the file where they are submitted together.
// InvalidArgument: a column is missing or a field is no number, with its line.
[[nodiscard]] absl::StatusOr<std::vector<TraceJob>> ParseTrace(absl::string_view text,
                                                               absl::string_view source);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_TRACE_H_
