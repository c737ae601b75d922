#include "runtime/graph/debug_string.h"

#include <catch2/catch.hpp>

#include "runtime/graph/types.h"

namespace rm::graph {
namespace {

using kernels::DType;

Graph SmallGraph() {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 4, 4});
  graph.AddInput("labels", DType::kInt64, {kBatch});
  const ValueId w = graph.AddParameter("w", {2, 4}, {});
  const ValueId c = graph.AddConstant("c", {1}, {1.0F});
  const ValueId pool = graph.AddNodeWithOutputs(
      "MaxPool", "pool", {x}, 2,
      {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}})[0];
  const ValueId rows = graph.AddNode("Flatten", "rows", {pool});
  const ValueId fc =
      graph.AddNode("Gemm", "fc", {rows, w, kNoValue},
                    {{"alpha", 0.5F}, {"transB", int64_t{1}}, {"activation", std::string("relu")}});
  graph.MarkOutput("output", graph.AddNode("Add", "sum", {fc, c}));
  const ValueId dw = graph.AddBackwardNode("Reshape", "dw", {w}, {w})[0];
  graph.SetGradient(w, dw);
  return graph;
}

TEST_CASE("a graph is written one line a value or node", "[debug_string]") {
  CHECK(DebugString(SmallGraph()) ==
        "input x: [batch, 1, 4, 4]\n"
        "input labels: int64 [batch]\n"
        "parameter w: [2, 4]\n"
        "constant c: [1]\n"
        "pool, pool:1 = MaxPool(x) {kernel_shape = [2, 2], strides = [2, 2]}\n"
        "rows = Flatten(pool)\n"
        "fc = Gemm(rows, w, -) {activation = \"relu\", alpha = 0.5, transB = 1}\n"
        "sum = Add(fc, c)\n"
        "  dw = Reshape(w)\n"
        "output output = sum\n"
        "gradient w = dw\n");
}

TEST_CASE("with types, results of nodes have theirs", "[debug_string]") {
  const Graph graph = SmallGraph();
  const auto types = InferTypes(graph, 3);
  REQUIRE(types.ok());
  const std::string text = DebugString(graph, *types);
  CHECK_THAT(text, Catch::Contains("input x: [3, 1, 4, 4]\n"));
  CHECK_THAT(text, Catch::Contains("pool: [3, 1, 2, 2], pool:1: uint8 [3, 1, 2, 2] = MaxPool(x)"));
  CHECK_THAT(text, Catch::Contains("fc: [3, 2] = Gemm(rows, w, -)"));
  CHECK_THAT(text, Catch::Contains("  dw: [2, 4] = Reshape(w)"));
}

}  // namespace
}  // namespace rm::graph
