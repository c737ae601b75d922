// From a model for any batch size to its canonical form for one.
//
// A model as it is imported computes shapes: it asks a tensor for its size, gathers a dimension,
// multiplies, and reshapes to the result. Once the batch size is known, all of that is arithmetic on
// constants. BindBatch does it once, on the host, and leaves a graph in which every shape is known
// and every shape-like operand is an attribute:
//
//   Shape(x) → Gather(·, 0) → Concat(·, [−1]) → Reshape(x, ·)    becomes    Reshape(x) {shape}
//
// so that losses, gradients, kernels and people see the forms of kernels/api/op.h alone.
//
// An export of a transformer of four blocks has 321 nodes without its constants, and 169 bound.
//
// What it does:
//   · turns ONNX spellings into canonical ones, by a table of one binder an operator
//     (runtime/graph/bind/table.cc): Squeeze, Unsqueeze and Identity become Reshape or nothing,
//     operands of Slice, Split, Expand, Clip, Reduce… become attributes, negative axes are counted
//     from the front, automatic padding is worked out, one-dimensional windows become two-dimensional;
//   · folds nodes of constants alone by running their reference kernel, in the order of the graph
//     and within a limit of memory (kFoldedBytesMax); what is larger is computed in every step. It
//     never folds through a parameter or a buffer, however constant that may look;
//   · drops what no output needs. Inputs, parameters and buffers all stay, and so do the names of
//     inputs, parameters, outputs and nodes.
//
// Who calls it: whoever compiles a graph (runtime/model), once for each batch size, before anything
// else is done to the graph. The model itself stays as it was imported, for the next batch size and
// for export.
#ifndef RM_RUNTIME_GRAPH_BIND_H_
#define RM_RUNTIME_GRAPH_BIND_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// Bytes of all constants that binding a graph may make. Causal masks and position tables of large
// models are some megabytes; a file that expands one element without end must not fill the memory.
inline constexpr int64_t kFoldedBytesMax = int64_t{512} << 20;

// InvalidArgument with every operator that has neither a binder nor a signature, each with its
// nodes: all at once, so that one look tells whether a model can be trained here.
[[nodiscard]] absl::Status CheckOperators(const Graph& model);

// The model's canonical form for `batch` samples; no dimension is kBatch. The result shares the
// first values of parameters with `model`. Binding a bound graph again changes nothing.
// InvalidArgument: a batch below 1, unknown operators (CheckOperators), operands that do not fit,
// a shape that depends on data: node, operand and why are named.
// REQUIRES: no backward pass, and no buffer that moves yet: both are made from bound graphs.
[[nodiscard]] absl::StatusOr<Graph> BindBatch(const Graph& model, int64_t batch,
                                              int64_t folded_bytes_max = kFoldedBytesMax);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_BIND_H_
