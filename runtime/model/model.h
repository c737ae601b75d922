// From a job's model block to a graph: the model, its loss, and what its data must look like.
#ifndef RM_RUNTIME_MODEL_MODEL_H_
#define RM_RUNTIME_MODEL_MODEL_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "proto/job.pb.h"
#include "runtime/graph/graph.h"

namespace rm::model {

// The model's input value: one sample a row, first dimension the batch.
inline constexpr char kInput[] = "input";

// The forward graph of `spec` with its loss attached and, with `training`, its backward pass.
// InvalidArgument, naming the key of the model block, when the block asks for what does not exist.
[[nodiscard]] absl::StatusOr<graph::Graph> BuildGraph(const ringmaster::v1::ModelSpec& spec,
                                                      bool training);

// Classes the model tells apart: the last dimension of its output. InvalidArgument when its shapes do not fit.
[[nodiscard]] absl::StatusOr<int64_t> ClassCount(const graph::Graph& graph);

// Whether samples of `sample_shape` (without the batch dimension) with labels 0 … classes − 1 fit the model.
// Samples of one dimension (rows of a table) fit every input of as many numbers. InvalidArgument says both shapes, or both
// numbers of classes.
[[nodiscard]] absl::Status CheckData(const graph::Graph& graph,
                                     absl::Span<const int64_t> sample_shape, int64_t classes);

}  // namespace rm::model

#endif  // RM_RUNTIME_MODEL_MODEL_H_
