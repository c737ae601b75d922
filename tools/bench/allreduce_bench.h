// `trainctl bench allreduce`: time of a float32 sum over rank processes, by size.
#ifndef RM_TOOLS_BENCH_ALLREDUCE_BENCH_H_
#define RM_TOOLS_BENCH_ALLREDUCE_BENCH_H_

#include "absl/status/statusor.h"
#include "base/json.h"
#include "comm/collective/communicator.h"

namespace rm::bench {

// The command: parses argv, runs the ranks, prints a line a size. Returns an exit code.
int AllReduceBenchCommand(int argc, char** argv);

// What one rank does. Settings: sizes [bytes]. Each size is summed in place, checked, and timed over repeats between
// barriers; result: [{"bytes", "us": [each repeat]}]. DataLoss when a sum is wrong.
[[nodiscard]] absl::StatusOr<base::Json> AllReduceBenchRank(const base::Json& settings,
                                                            comm::Communicator& communicator);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_ALLREDUCE_BENCH_H_
