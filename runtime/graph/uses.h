// Who writes and who reads each value of a graph: what passes look up.
//
// The graph itself holds only what a node reads and writes; the way back, from a value to its
// nodes, is computed by each pass that needs it. So there is nothing that passes must keep in step.
#ifndef RM_RUNTIME_GRAPH_USES_H_
#define RM_RUNTIME_GRAPH_USES_H_

#include <cstddef>
#include <vector>

#include "runtime/graph/graph.h"

namespace rm::graph {

// No node: the value is an input, a parameter or a constant, or nobody writes it any more.
inline constexpr int kNoNode = -1;

// A snapshot: it does not follow later changes of the graph.
struct Uses {
  std::vector<int> writer;                // by ValueId: index of a node, or kNoNode
  std::vector<std::vector<int>> readers;  // by ValueId: indices of nodes, ascending, each once
  std::vector<bool> kept;  // by ValueId: an output or the gradient of a parameter; somebody outside
                           // the graph reads it

  [[nodiscard]] int writer_of(ValueId id) const { return writer[static_cast<size_t>(id)]; }
  [[nodiscard]] const std::vector<int>& readers_of(ValueId id) const {
    return readers[static_cast<size_t>(id)];
  }
  [[nodiscard]] bool is_kept(ValueId id) const { return kept[static_cast<size_t>(id)]; }
  // Only this node reads the value, and nobody outside the graph.
  [[nodiscard]] bool only_read_by(ValueId id, int node) const {
    return !is_kept(id) && readers_of(id).size() == 1 && readers_of(id)[0] == node;
  }
};

[[nodiscard]] Uses FindUses(const Graph& graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_USES_H_
