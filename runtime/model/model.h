// From a job's model block to graphs: the model, and what is computed of it for a batch.
//
//   BuildGraph(spec) ─► the model as its author wrote it: open batch, no loss            once a process
//      └─ ForBatch(model, spec, rows, purpose) ─► what a program is compiled from        for each batch size and purpose
#ifndef RM_RUNTIME_MODEL_MODEL_H_
#define RM_RUNTIME_MODEL_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "runtime/graph/graph.h"

namespace rm::model {

// The input of built-in models: one sample a row, first dimension the batch. Those of a file have names
// of their own: what a model takes is said by runtime/model/layout.h.
inline constexpr char kInput[] = "input";

// The forward graph of `spec`, for any batch. Parameters that a pattern of model.freeze fits (base/name_pattern.h) are buffers
// that nothing moves. InvalidArgument, naming the key of the model block, when the block asks for what does not exist: an unknown
// model or parameter, a pattern that fits no parameter.
// Sentences that people should know of a file are added to `warnings`, where it is given.
[[nodiscard]] absl::StatusOr<graph::Graph> BuildGraph(const ringmaster::v1::ModelSpec& spec,
                                                      std::vector<std::string>* warnings = nullptr);

enum class Purpose {
  kTraining,   // normalisation by the batch, dropout, the loss and its backward pass
  kInference,  // the model in use, and its loss to judge it by
};

// The graph of `model` for `batch` rows, by the loss that `spec` names. REQUIRES: `model` is from BuildGraph, batch ≥ 1.
// InvalidArgument: a model and a loss that do not go together, an operator without a gradient between a parameter and the loss.
[[nodiscard]] absl::StatusOr<graph::Graph> ForBatch(const graph::Graph& model,
                                                    const ringmaster::v1::ModelSpec& spec,
                                                    int64_t batch, Purpose purpose);

}  // namespace rm::model

#endif  // RM_RUNTIME_MODEL_MODEL_H_
