// Shape inference: from a graph and a batch size to the type of every value.
//
// A graph is made once, for any batch size; types belong to one batch size and are therefore kept
// beside the graph and not in it. Passes before that (loss attachment, autodiff) infer types for a
// probe batch where they have to know ranks and fixed dimensions.
#ifndef RM_RUNTIME_GRAPH_TYPES_H_
#define RM_RUNTIME_GRAPH_TYPES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/api/tensor.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// A graph on its way to a program: one batch size, and the type of each value by ValueId.
struct TypedGraph {
  Graph graph;
  std::vector<kernels::TensorType> types;

  [[nodiscard]] kernels::TensorType& type(ValueId id) { return types[static_cast<size_t>(id)]; }
  [[nodiscard]] const kernels::TensorType& type(ValueId id) const {
    return types[static_cast<size_t>(id)];
  }
};

// The type of every value, in plain layout, with `batch` for kBatch. InvalidArgument: a batch below
// 1, an unknown operator, operands that do not fit (node, operator and shapes are named).
[[nodiscard]] absl::StatusOr<std::vector<kernels::TensorType>> InferTypes(const Graph& graph,
                                                                          int64_t batch);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_TYPES_H_
