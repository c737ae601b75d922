// A reference case: a model with its first weights, its batches, and what another framework made of
// them. The folder's format is that of the script that writes such cases:
//
//   model.onnx          the forward graph with its first weights
//   <graph input>.npy   [N, B, …]: one file a graph input; N micro-batches of B samples
//   target.npy          [N, B, …]: int64 classes, or float32 values
//   grads.npz           the loss's gradient of micro-batch 0 at the first weights, by parameter
//   final.npz           every parameter and buffer after the last step
//   case.json           steps, batch, accumulate, clip, loss, optimizer, inputs, losses
#ifndef RM_TOOLS_BENCH_ORACLE_CASE_H_
#define RM_TOOLS_BENCH_ORACLE_CASE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "runtime/tensorfile/npy.h"
#include "runtime/tensorfile/npz.h"

namespace rm::bench {

struct OracleCase {
  std::string folder;
  std::string name;  // of the folder
  ringmaster::v1::ModelSpec model;
  ringmaster::v1::OptimizerSpec optimizer;
  double learning_rate = 0;
  double clip = 0;  // 0: none
  int64_t batch = 0;
  int64_t steps = 0;
  int64_t accumulate = 1;
  std::map<std::string, std::unique_ptr<tensorfile::NpyFile>> inputs;  // by graph input
  std::unique_ptr<tensorfile::NpyFile> target;
  std::unique_ptr<tensorfile::NpzFile> gradients;
  std::unique_ptr<tensorfile::NpzFile> final_values;
  std::vector<double> losses;  // one a step
};

// InvalidArgument or NotFound, naming file and field, for a folder that is no such case.
[[nodiscard]] absl::StatusOr<OracleCase> ReadOracleCase(const std::string& folder);

// Copies micro-batch `index` of an array [N, B, …] to `destination`, which has room for `bytes`.
// InvalidArgument when a micro-batch has another size.
[[nodiscard]] absl::Status CopyMicroBatch(const tensorfile::NpyFile& array, int64_t index,
                                          size_t bytes, void* destination);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_ORACLE_CASE_H_
