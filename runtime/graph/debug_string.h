// A graph as text, for tests and for people: one line a value or node, in the graph's order.
//
//   input x: [batch, 4]
//   parameter fc.weight: [3, 4]
//   fc = Gemm(x, fc.weight) {transB = 1}
//   output output = fc
//   gradient fc.weight = fc/dB
//   update norm.running_mean = norm:1 · 0.1      (the share of the new value)
//
// Nodes of the backward pass are indented. What is not float32 is said.
#ifndef RM_RUNTIME_GRAPH_DEBUG_STRING_H_
#define RM_RUNTIME_GRAPH_DEBUG_STRING_H_

#include <string>
#include <vector>

#include "kernels/api/tensor.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// Without types: inputs, parameters and constants have shapes. With types (by ValueId) the results
// of nodes have theirs too, "fc: [8, 3] = Gemm(…)".
[[nodiscard]] std::string DebugString(const Graph& graph,
                                      const std::vector<kernels::TensorType>& types = {});

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_DEBUG_STRING_H_
