// First values of a model from a safetensors file (model.weights of the job file): fine-tuning, or going on from what another
// framework has trained.
//
// Tensors are found by name: each parameter of the graph must be in the file with its shape, and the file may hold nothing else,
// since a name that fits nowhere is far more often a mistake than a wish. Values may be F32, F64, F16 or BF16; they become float32.
// Functions are thread-safe.
#ifndef RM_RUNTIME_MODEL_WEIGHTS_H_
#define RM_RUNTIME_MODEL_WEIGHTS_H_

#include <string>

#include "absl/status/status.h"
#include "base/file_system.h"
#include "runtime/graph/graph.h"

namespace rm::model {

// Whether the file at `path` fits the model, from its header alone: no tensor is read. InvalidArgument lists every tensor that is
// missing, not of the model, of another shape or of a type that is no floating-point number (at most kWeightProblemsMax of them, and
// how many more there are); NotFound when there is no such file; DataLoss when it is no safetensors file.
[[nodiscard]] absl::Status CheckWeights(const graph::Graph& graph, const base::FileSystem& files,
                                        const std::string& path);

// Makes the file's tensors the first values of the graph's parameters. Errors as CheckWeights, and those of reading; then the graph
// is as it was.
[[nodiscard]] absl::Status LoadWeights(const base::FileSystem& files, const std::string& path,
                                       graph::Graph* graph);

inline constexpr int kWeightProblemsMax = 64;

}  // namespace rm::model

#endif  // RM_RUNTIME_MODEL_WEIGHTS_H_
