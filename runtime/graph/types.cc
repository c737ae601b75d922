// Types flow in one sweep from inputs, parameters and constants through the nodes. Every batch size
// is inferred anew: rules only ever see known dimensions.
#include "runtime/graph/types.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/graph/ops/infer_node.h"

namespace rm::graph {

absl::StatusOr<std::vector<kernels::TensorType>> InferTypes(const Graph& graph, int64_t batch) {
  if (batch < 1) {
    return absl::InvalidArgumentError(absl::StrCat("a batch of ", batch, " samples; at least 1"));
  }
  std::vector<kernels::TensorType> types(graph.values().size());
  for (size_t i = 0; i < types.size(); ++i) {
    const Value& value = graph.values()[i];
    types[i].dtype = value.dtype;
    types[i].shape = value.shape;
    if (!value.shape.empty() && value.shape[0] == kBatch) types[i].shape[0] = batch;
  }
  // Nodes are in topological order, so the types of a node's operands are known when it is reached.
  for (const Node& node : graph.nodes()) RM_RETURN_IF_ERROR(InferNode(graph, node, &types));
  return types;
}

}  // namespace rm::graph
