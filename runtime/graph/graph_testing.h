// What tests of the passes share: graphs in few words, and their text.
#ifndef RM_RUNTIME_GRAPH_GRAPH_TESTING_H_
#define RM_RUNTIME_GRAPH_GRAPH_TESTING_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "runtime/graph/debug_string.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"

namespace rm::graph {

using Ints = std::vector<int64_t>;

// A fully connected layer with parameters name.weight (out, in) and name.bias.
inline ValueId Linear(const std::string& name, ValueId x, int64_t in, int64_t out, Graph* graph) {
  const ValueId w = graph->AddParameter(name + ".weight", {out, in}, {});
  const ValueId b = graph->AddParameter(name + ".bias", {out}, {});
  return graph->AddNode("Gemm", name, {x, w, b}, {{"transB", int64_t{1}}});
}

// A convolution with parameters name.weight (out, in, k, k) and name.bias.
inline ValueId Conv(const std::string& name, ValueId x, int64_t in, int64_t out, int64_t k,
                    Graph* graph) {
  const ValueId w = graph->AddParameter(name + ".weight", {out, in, k, k}, {});
  const ValueId b = graph->AddParameter(name + ".bias", {out}, {});
  return graph->AddNode("Conv", name, {x, w, b});
}

inline ValueId Pool(const std::string& name, ValueId x, int64_t k, Graph* graph) {
  return graph->AddNode("MaxPool", name, {x},
                        {{"kernel_shape", Ints{k, k}}, {"strides", Ints{k, k}}});
}

// x (batch, 4) → fc1 (5) → relu → fc2 (3), the model's output.
inline Graph TwoLayers() {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {kBatch, 4});
  const ValueId hidden = graph.AddNode("Relu", "relu", {Linear("fc1", x, 4, 5, &graph)});
  graph.MarkOutput(kModelOutput, Linear("fc2", hidden, 5, 3, &graph));
  return graph;
}

// x (batch, 1, 8, 8) → conv1 (2, 3×3) → relu1 → conv2 (3, 3×3) → relu2 → pool 2 → fc (4).
inline Graph SmallConvnet() {
  Graph graph;
  ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {kBatch, 1, 8, 8});
  x = graph.AddNode("Relu", "relu1", {Conv("conv1", x, 1, 2, 3, &graph)});
  x = graph.AddNode("Relu", "relu2", {Conv("conv2", x, 2, 3, 3, &graph)});
  x = graph.AddNode("Flatten", "flatten", {Pool("pool", x, 2, &graph)});
  graph.MarkOutput(kModelOutput, Linear("fc", x, 12, 4, &graph));
  return graph;
}

// The graph with loss and backward pass.
inline Graph ForTraining(Graph graph) {
  const absl::Status attached = AttachLoss({}, &graph);
  RM_CHECK(attached.ok(), attached.ToString());
  const absl::Status differentiated = Differentiate(&graph);
  RM_CHECK(differentiated.ok(), differentiated.ToString());
  return graph;
}

// With the types of a batch of 2.
inline TypedGraph Typed(const Graph& graph) {
  auto types = InferTypes(graph, 2);
  RM_CHECK(types.ok(), types.status().ToString());
  return {graph, *std::move(types)};
}

// The lines of the graph's text that are nodes: forward, backward, or both.
inline std::string NodeLines(const Graph& graph, bool forward, bool backward) {
  std::string nodes;
  for (absl::string_view line : absl::StrSplit(DebugString(graph), '\n')) {
    const bool is_backward = absl::StartsWith(line, "  ");
    const bool is_node = absl::StrContains(line, "(");
    if (is_node && (is_backward ? backward : forward)) absl::StrAppend(&nodes, line, "\n");
  }
  return nodes;
}
inline std::string Nodes(const Graph& graph) { return NodeLines(graph, true, true); }
inline std::string ForwardNodes(const Graph& graph) { return NodeLines(graph, true, false); }
inline std::string BackwardNodes(const Graph& graph) { return NodeLines(graph, false, true); }

// The lines "gradient parameter = value".
inline std::string GradientLines(const Graph& graph) {
  std::string gradients;
  for (absl::string_view line : absl::StrSplit(DebugString(graph), '\n')) {
    if (absl::StartsWith(line, "gradient ")) absl::StrAppend(&gradients, line, "\n");
  }
  return gradients;
}

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_GRAPH_TESTING_H_
