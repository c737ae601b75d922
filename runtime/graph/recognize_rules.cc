// What several rules need.
#include "runtime/graph/recognize_rules.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"

namespace rm::graph {

float NumberOf(const Graph& graph, ValueId id) {
  if (id == kNoValue) return std::nanf("");
  const Value& value = graph.value(id);
  const auto& values = value.initializer.values;
  const bool number = value.kind == ValueKind::kConstant &&
                      value.dtype == kernels::DType::kFloat32 && values != nullptr &&
                      values->size() == 1;
  return number ? (*values)[0] : std::nanf("");
}

void MoveLastNodes(size_t count, size_t position, Graph* graph) {
  std::vector<Node>& nodes = graph->mutable_nodes();
  RM_CHECK(position + count <= nodes.size());
  const auto from = nodes.end() - static_cast<std::ptrdiff_t>(count);
  std::rotate(nodes.begin() + static_cast<std::ptrdiff_t>(position), from, nodes.end());
}

}  // namespace rm::graph
