// Shape inference of one node.
#ifndef RM_RUNTIME_GRAPH_OPS_INFER_NODE_H_
#define RM_RUNTIME_GRAPH_OPS_INFER_NODE_H_

#include <vector>

#include "absl/status/status.h"
#include "kernels/api/op.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// The node as kernels see it, with the types that its operands have in `types` (by ValueId).
[[nodiscard]] kernels::OpInstance MakeInstance(const Node& node,
                                               const std::vector<kernels::TensorType>& types);

// Writes the types of the node's outputs into `types` (by ValueId; grown to the number of values).
// REQUIRES: the types of its inputs are there.
// InvalidArgument names node, operator and the shapes of the inputs.
[[nodiscard]] absl::Status InferNode(const Graph& graph, const Node& node,
                                     std::vector<kernels::TensorType>* types);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OPS_INFER_NODE_H_
