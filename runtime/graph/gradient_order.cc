#include "runtime/graph/gradient_order.h"

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

// By node: how many parameters' gradients are computed from it.
std::vector<size_t> GradientsBehind(const Graph& graph, const Uses& uses) {
  std::map<ValueId, ValueId> parameter_of;
  for (ValueId parameter : graph.parameters()) {
    const auto it = graph.gradients().find(parameter);
    if (it != graph.gradients().end()) parameter_of[it->second] = parameter;
  }
  std::vector<std::set<ValueId>> behind(graph.nodes().size());
  std::vector<size_t> counts(graph.nodes().size());
  for (size_t i = graph.nodes().size(); i-- > 0;) {
    for (ValueId output : graph.nodes()[i].outputs) {
      if (output == kNoValue) continue;
      const auto own = parameter_of.find(output);
      if (own != parameter_of.end()) behind[i].insert(own->second);
      for (int reader : uses.readers_of(output)) {
        const std::set<ValueId>& further = behind[static_cast<size_t>(reader)];
        behind[i].insert(further.begin(), further.end());
      }
    }
    counts[i] = behind[i].size();
  }
  return counts;
}

// By node: how many of its operands are still to be written by the backward pass.
std::vector<int> OperandsToCome(const Graph& graph, const Uses& uses) {
  std::vector<int> to_come(graph.nodes().size(), 0);
  for (size_t value = 0; value < uses.readers.size(); ++value) {
    const int writer = uses.writer[value];
    if (writer == kNoNode || !graph.nodes()[static_cast<size_t>(writer)].backward) continue;
    for (int reader : uses.readers[value]) ++to_come[static_cast<size_t>(reader)];
  }
  return to_come;
}

}  // namespace

void IsolateGradients(TypedGraph* typed) {
  Graph& graph = typed->graph;
  const Uses uses = FindUses(graph);
  std::map<ValueId, int> owners;  // by gradient: parameters and outputs that it is kept for
  for (const auto& [name, value] : graph.outputs()) ++owners[value];
  for (ValueId parameter : graph.parameters()) {
    const auto it = graph.gradients().find(parameter);
    if (it != graph.gradients().end()) ++owners[it->second];
  }
  for (ValueId parameter : graph.parameters()) {
    const auto it = graph.gradients().find(parameter);
    if (it == graph.gradients().end()) continue;
    const ValueId gradient = it->second;
    const bool computed = graph.value(gradient).kind == ValueKind::kNode;
    if (computed && uses.readers_of(gradient).empty() && owners[gradient] == 1) continue;
    // Where the source is free by then, storage makes the copy a view: no bytes move.
    const ValueId copy =
        graph.AddBackwardNode("Reshape", absl::StrCat(graph.value(parameter).name, "/gradient"),
                              {gradient}, {parameter})[0];
    typed->types.resize(graph.values().size());
    typed->type(copy) = typed->type(parameter);
    graph.SetGradient(parameter, copy);
  }
}

// List scheduling. The set is ordered by (gradients behind, place in the old order), so the result
// depends on nothing but the graph.
void OrderBackward(Graph* graph) {
  const Uses uses = FindUses(*graph);
  const std::vector<size_t> behind = GradientsBehind(*graph, uses);
  std::vector<int> to_come = OperandsToCome(*graph, uses);
  std::vector<Node> ordered;
  std::set<std::pair<size_t, size_t>> ready;  // (gradients behind, node)
  for (size_t i = 0; i < graph->nodes().size(); ++i) {
    if (!graph->nodes()[i].backward) {
      ordered.push_back(graph->nodes()[i]);
    } else if (to_come[i] == 0) {
      ready.emplace(behind[i], i);
    }
  }
  while (!ready.empty()) {
    const size_t next = ready.begin()->second;
    ready.erase(ready.begin());
    ordered.push_back(graph->nodes()[next]);
    for (ValueId output : graph->nodes()[next].outputs) {
      if (output == kNoValue) continue;
      for (int reader : uses.readers_of(output)) {
        const size_t i = static_cast<size_t>(reader);
        if (--to_come[i] == 0) ready.emplace(behind[i], i);
      }
    }
  }
  graph->mutable_nodes() = std::move(ordered);
}

}  // namespace rm::graph
