#include "runtime/graph/prune.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/api/op_signature.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

// Marks the outputs beyond the required ones that are not live as absent.
void DropUnreadOutputs(const std::vector<bool>& live, Node* node) {
  const kernels::OpSignature* signature = kernels::FindOpSignature(node->op);
  if (signature == nullptr) return;
  for (size_t i = static_cast<size_t>(signature->outputs.least); i < node->outputs.size(); ++i) {
    ValueId& output = node->outputs[i];
    if (output != kNoValue && !live[static_cast<size_t>(output)]) output = kNoValue;
  }
}

}  // namespace

// The loss stays: evaluation reports it.
void DropBackward(Graph* graph) {
  std::vector<Node>& nodes = graph->mutable_nodes();
  const auto is_backward = [](const Node& node) { return node.backward; };
  nodes.erase(std::remove_if(nodes.begin(), nodes.end(), is_backward), nodes.end());
  graph->ClearGradients();
  graph->ClearBufferUpdates();  // only training moves them
}

// From the last node to the first, so that a node's readers are judged before it.
void EliminateDeadNodes(Graph* graph) {
  std::vector<bool> live = FindUses(*graph).kept;
  std::vector<Node> kept;
  std::vector<Node>& nodes = graph->mutable_nodes();
  for (size_t i = nodes.size(); i-- > 0;) {
    Node& node = nodes[i];
    const bool needed = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return id != kNoValue && live[static_cast<size_t>(id)];
    });
    if (!needed) continue;
    DropUnreadOutputs(live, &node);
    for (ValueId input : node.inputs) {
      if (input != kNoValue) live[static_cast<size_t>(input)] = true;
    }
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  nodes = std::move(kept);
}

}  // namespace rm::graph
