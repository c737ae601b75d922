// The rank processes of a benchmark: started together, introduced to each other, asked for their results.
//
// The parent plays coordinator and worker at once, over the same socket frames (base/frame_socket.h) with JSON in them:
//   parent → rank {"bench": name, "rank": r, "ranks": n, "transport": t, …settings}
//   rank → parent {"address": "127.0.0.1:41234"}
//   parent → rank {"peers": [address, …]}
//   rank → parent {"result": {…}} or {"error": "…"}
#ifndef RM_TOOLS_BENCH_RANK_GROUP_H_
#define RM_TOOLS_BENCH_RANK_GROUP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/json.h"

namespace rm::bench {

// Runs benchmark `bench` on `ranks` processes of this program with `threads` OpenMP threads each and returns their results by rank. On an
// error every process is killed; the error is that of the rank that failed first. No process is left either way.
[[nodiscard]] absl::StatusOr<std::vector<base::Json>> RunRanks(const std::string& bench, int ranks,
                                                               int threads,
                                                               const base::Json& settings);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_RANK_GROUP_H_
