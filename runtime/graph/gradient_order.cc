#include "runtime/graph/gradient_order.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

// By node: whether all that depends on it are gradients of parameters.
std::vector<bool> ServesParametersOnly(const Graph& graph) {
  const Uses uses = FindUses(graph);
  std::vector<bool> serves(graph.nodes().size(), false);
  for (size_t i = graph.nodes().size(); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    serves[i] = node.backward;
    for (ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      for (int reader : uses.readers_of(output)) {
        serves[i] = serves[i] && serves[static_cast<size_t>(reader)];
      }
    }
  }
  return serves;
}

// Places nodes in a new order, each after the nodes that write its operands.
class Scheduler {
 public:
  explicit Scheduler(const Graph& graph)
      : nodes_(graph.nodes()), uses_(FindUses(graph)), placed_(nodes_.size(), false) {}

  bool Ready(size_t node) const {
    if (placed_[node]) return false;
    return std::all_of(nodes_[node].inputs.begin(), nodes_[node].inputs.end(), [&](ValueId id) {
      const int writer = id == kNoValue ? kNoNode : uses_.writer_of(id);
      return writer == kNoNode || placed_[static_cast<size_t>(writer)];
    });
  }

  bool InBackward(size_t node) const { return nodes_[node].backward; }

  void Place(size_t node) {
    placed_[node] = true;
    order_.push_back(node);
  }

  // Nodes that read what this one writes.
  std::vector<size_t> Readers(size_t node) const {
    std::set<size_t> readers;
    for (ValueId output : nodes_[node].outputs) {
      if (output == kNoValue) continue;
      for (int reader : uses_.readers_of(output)) readers.insert(static_cast<size_t>(reader));
    }
    return {readers.begin(), readers.end()};
  }

  const std::vector<size_t>& order() const { return order_; }

 private:
  const std::vector<Node>& nodes_;
  const Uses uses_;
  std::vector<bool> placed_;
  std::vector<size_t> order_;
};

// Places the node and, in the backward pass, at once every node that it made ready and that serves
// parameters alone.
void PlaceWithGradients(size_t node, const std::vector<bool>& serves, Scheduler* scheduler) {
  scheduler->Place(node);
  if (!scheduler->InBackward(node)) return;
  for (size_t reader : scheduler->Readers(node)) {
    if (serves[reader] && scheduler->Ready(reader)) PlaceWithGradients(reader, serves, scheduler);
  }
}

}  // namespace

void IsolateGradients(TypedGraph* typed) {
  Graph& graph = typed->graph;
  std::set<ValueId> taken;
  for (const auto& [name, value] : graph.outputs()) taken.insert(value);
  for (ValueId parameter : graph.parameters()) {
    const auto it = graph.gradients().find(parameter);
    if (it == graph.gradients().end()) continue;
    const ValueId gradient = it->second;
    const bool computed = graph.value(gradient).kind == ValueKind::kNode;
    const bool read = !FindUses(graph).readers_of(gradient).empty();
    if (computed && !read && taken.insert(gradient).second) continue;
    const ValueId copy =
        graph.AddBackwardNode("Reshape", absl::StrCat(graph.value(parameter).name, "/gradient"),
                              {gradient}, {parameter})[0];
    typed->types.resize(graph.values().size());
    typed->type(copy) = typed->type(parameter);
    graph.SetGradient(parameter, copy);
  }
}

void OrderBackward(Graph* graph) {
  const std::vector<bool> serves = ServesParametersOnly(*graph);
  Scheduler scheduler(*graph);
  for (size_t i = 0; i < graph->nodes().size(); ++i) {
    if (scheduler.Ready(i)) PlaceWithGradients(i, serves, &scheduler);
  }
  std::vector<Node> ordered;
  for (size_t i : scheduler.order()) ordered.push_back(graph->nodes()[i]);
  graph->mutable_nodes() = std::move(ordered);
}

}  // namespace rm::graph
