// From a job's model block to graphs: the model, what is computed of it for a batch, and what its data must look like.
//
//   BuildGraph(spec) ─► the model as its author wrote it: open batch, no loss            once a process
//      └─ ForBatch(model, spec, rows, purpose) ─► what a program is compiled from        for each batch size and purpose
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

// The forward graph of `spec`, for any batch. Parameters that a pattern of model.freeze fits (base/name_pattern.h) are buffers
// that nothing moves. InvalidArgument, naming the key of the model block, when the block asks for what does not exist: an unknown
// model or parameter, a pattern that fits no parameter.
[[nodiscard]] absl::StatusOr<graph::Graph> BuildGraph(const ringmaster::v1::ModelSpec& spec);

enum class Purpose {
  kTraining,   // normalisation by the batch, dropout, the loss and its backward pass
  kInference,  // the model in use, and its loss to judge it by
};

// The graph of `model` for `batch` rows, by the loss that `spec` names. REQUIRES: `model` is from BuildGraph, batch ≥ 1.
// InvalidArgument: a model and a loss that do not go together, an operator without a gradient between a parameter and the loss.
[[nodiscard]] absl::StatusOr<graph::Graph> ForBatch(const graph::Graph& model,
                                                    const ringmaster::v1::ModelSpec& spec,
                                                    int64_t batch, Purpose purpose);

// Classes the model tells apart: the last dimension of its output. InvalidArgument when its shapes do not fit.
[[nodiscard]] absl::StatusOr<int64_t> ClassCount(const graph::Graph& graph);

// Whether samples of `sample_shape` (without the batch dimension) with labels 0 … classes − 1 fit the model.
// Samples of one dimension (rows of a table) fit every input of as many numbers. InvalidArgument says both shapes, or both
// numbers of classes.
[[nodiscard]] absl::Status CheckData(const graph::Graph& graph,
                                     absl::Span<const int64_t> sample_shape, int64_t classes);

}  // namespace rm::model

#endif  // RM_RUNTIME_MODEL_MODEL_H_
