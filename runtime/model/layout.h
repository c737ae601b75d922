// What a model and its loss take of each sample, as data sources are asked for it.
#ifndef RM_RUNTIME_MODEL_LAYOUT_H_
#define RM_RUNTIME_MODEL_LAYOUT_H_

#include "absl/status/statusor.h"
#include "proto/job.pb.h"
#include "runtime/data/sample_layout.h"
#include "runtime/graph/graph.h"

namespace rm::model {

// The inputs of `model` with their types and shapes, in the graph's order, and the target that the
// loss of `spec` compares its output with:
//
//   loss                          output                target of a sample
//   softmax_cross_entropy         [batch, …, classes]   int64 […]
//                                 [batch · n, classes]  int64 [n]: rows that were flattened
//   mse                           [batch, …]            float32 […]
//   sigmoid_binary_cross_entropy  [batch, …]            float32 […], each from 0 to 1
//
// Which dimension is the batch is found by binding the model to two batches: it is the first one, and
// no other may grow with it. An input that indexes a table (the indices of a Gather, perhaps through
// a Cast, Reshape or other operator that keeps the numbers) is limited by its rows. REQUIRES: `model` is from BuildGraph(spec). InvalidArgument: an input that is not one sample a
// row, an output that the loss cannot be computed of, unknown operators (all of them, with their
// nodes), shapes that do not fit.
[[nodiscard]] absl::StatusOr<data::SampleLayout> LayoutOf(const graph::Graph& model,
                                                          const ringmaster::v1::ModelSpec& spec);

// Whether the spec asks for a loss with class indices as targets, rather than numbers.
[[nodiscard]] bool HasClasses(const ringmaster::v1::ModelSpec& spec);

}  // namespace rm::model

#endif  // RM_RUNTIME_MODEL_LAYOUT_H_
