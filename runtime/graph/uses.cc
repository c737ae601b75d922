#include "runtime/graph/uses.h"

namespace rm::graph {

Uses FindUses(const Graph& graph) {
  Uses uses;
  const size_t values = graph.values().size();
  uses.writer.assign(values, kNoNode);
  uses.readers.resize(values);
  uses.kept.assign(values, false);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const int node = static_cast<int>(i);
    for (ValueId input : graph.nodes()[i].inputs) {
      if (input == kNoValue) continue;
      std::vector<int>& readers = uses.readers[static_cast<size_t>(input)];
      if (readers.empty() || readers.back() != node) readers.push_back(node);
    }
    for (ValueId output : graph.nodes()[i].outputs) {
      if (output != kNoValue) uses.writer[static_cast<size_t>(output)] = node;
    }
  }
  // Gradients of values that are not parameters are nobody's but the backward pass's.
  for (const auto& [name, value] : graph.outputs()) uses.kept[static_cast<size_t>(value)] = true;
  for (const auto& [of, gradient] : graph.gradients()) {
    if (graph.value(of).kind != ValueKind::kParameter) continue;
    uses.kept[static_cast<size_t>(gradient)] = true;
  }
  // What buffers follow is read by the caller, when the forward pass is done.
  for (const auto& [buffer, update] : graph.buffer_updates()) {
    uses.kept[static_cast<size_t>(update.statistic)] = true;
  }
  return uses;
}

}  // namespace rm::graph
