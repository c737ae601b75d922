// `trainctl bench train`: samples a second of data-parallel training, in rank processes that run a job's own step.
#ifndef RM_TOOLS_BENCH_TRAIN_BENCH_H_
#define RM_TOOLS_BENCH_TRAIN_BENCH_H_

#include "absl/status/statusor.h"
#include "base/json.h"
#include "comm/collective/communicator.h"

namespace rm::bench {

// The command: parses argv (argv[1] on are flags), runs the ranks, prints the line. Returns an exit code.
int TrainBenchCommand(int argc, char** argv);

// What one rank does. Settings: zoo (a name) or onnx (a file), global_batch, steps, seed, lr, params {…}.
// One fixed global batch is drawn from the seed: sample i is the same at every world size. Result: parameters, first_loss,
// last_loss, windows [samples/s of each], allreduce_wait_share, peak_rss_bytes, weights_sha256.
[[nodiscard]] absl::StatusOr<base::Json> TrainBenchRank(const base::Json& settings,
                                                        comm::Communicator& communicator);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_TRAIN_BENCH_H_
