#include "runtime/graph/fusion.h"

#include <catch2/catch.hpp>

#include "runtime/graph/graph_testing.h"
#include "runtime/graph/prune.h"

namespace rm::graph {
namespace {

using kernels::DType;

// The graph after fusion and removal of dead nodes.
Graph Fused(const Graph& graph) {
  TypedGraph typed = Typed(graph);
  Fuse(&typed);
  EliminateDeadNodes(&typed.graph);
  return typed.graph;
}

TEST_CASE("a Relu becomes the activation of the Gemm or Conv before it", "[fusion]") {
  CHECK(Nodes(Fused(TwoLayers())) ==
        "relu = Gemm(x, fc1.weight, fc1.bias) {activation = \"relu\", transB = 1}\n"
        "fc2 = Gemm(relu, fc2.weight, fc2.bias) {transB = 1}\n");
  CHECK(Nodes(Fused(SmallConvnet())) ==
        "relu1 = Conv(x, conv1.weight, conv1.bias) {activation = \"relu\"}\n"
        "relu2 = Conv(relu1, conv2.weight, conv2.bias) {activation = \"relu\"}\n"
        "pool = MaxPool(relu2) {kernel_shape = [2, 2], strides = [2, 2]}\n"
        "flatten = Flatten(pool)\n"
        "fc = Gemm(flatten, fc.weight, fc.bias) {transB = 1}\n");
}

TEST_CASE("fusing a Relu leaves the backward pass of the layers as it is", "[fusion]") {
  const Graph graph = ForTraining(TwoLayers());
  const Graph fused = Fused(graph);
  CHECK(BackwardNodes(fused) == BackwardNodes(graph));
  CHECK(GradientLines(fused) == GradientLines(graph));
}

TEST_CASE("an operand that somebody else reads stays", "[fusion]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId y = Linear("fc", x, 4, 4, &graph);
  const ValueId relu = graph.AddNode("Relu", "relu", {y});
  SECTION("by another node") { graph.MarkOutput("output", graph.AddNode("Add", "sum", {relu, y})); }
  SECTION("as an output") {
    graph.MarkOutput("output", relu);
    graph.MarkOutput("before", y);
  }
  const std::string nodes = Nodes(graph);
  CHECK(Nodes(Fused(graph)) == nodes);
}

TEST_CASE("a Relu after anything else stays, and a second Relu too", "[fusion]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId first = graph.AddNode("Relu", "first", {graph.AddNode("Add", "twice", {x, x})});
  const ValueId relu = graph.AddNode("Relu", "relu", {Linear("fc", first, 4, 4, &graph)});
  graph.MarkOutput("output", graph.AddNode("Relu", "again", {relu}));
  CHECK(Nodes(Fused(graph)) ==
        "twice = Add(x, x)\n"
        "first = Relu(twice)\n"
        "relu = Gemm(first, fc.weight, fc.bias) {activation = \"relu\", transB = 1}\n"
        "again = Relu(relu)\n");
}

TEST_CASE("the mask of a Relu before a pooling is taken on the pooled side", "[fusion]") {
  const Graph graph = ForTraining(SmallConvnet());
  CHECK_THAT(BackwardNodes(graph),
             Catch::Contains("  pool/dX = MaxPoolGrad(flatten/dX, pool:1) {kernel_shape = [2, 2], "
                             "strides = [2, 2]}\n"
                             "  relu2/dX = ReluGrad(pool/dX, relu2)\n"
                             "  conv2/dW, conv2/dW:1 = ConvGradWeight(relu1, relu2/dX)\n"));
  TypedGraph typed = Typed(graph);
  Fuse(&typed);
  CHECK_THAT(BackwardNodes(typed.graph),
             Catch::Contains("  pool/dX = ReluGrad(flatten/dX, pool)\n"
                             "  relu2/dX = MaxPoolGrad(pool/dX, pool:1) {kernel_shape = [2, 2], "
                             "strides = [2, 2]}\n"
                             "  conv2/dW, conv2/dW:1 = ConvGradWeight(relu1, relu2/dX)\n"));
  const ValueId moved = typed.graph.FindValue("pool/dX");
  CHECK(typed.type(moved).shape == kernels::Shape{2, 3, 2, 2});
}

TEST_CASE("the mask stays where it is when the pooling reads something else", "[fusion]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 4, 4});
  const ValueId a = Conv("a", x, 1, 2, 1, &graph);
  SECTION("Relu after the pooling") {
    const ValueId pool = Pool("pool", a, 2, &graph);
    graph.MarkOutput(kModelOutput,
                     graph.AddNode("Flatten", "flat", {graph.AddNode("Relu", "relu", {pool})}));
  }
  SECTION("the Relu's result is read beside the pooling") {
    const ValueId relu = graph.AddNode("Relu", "relu", {a});
    const ValueId pool = graph.AddNode("Flatten", "flat1", {Pool("pool", relu, 2, &graph)});
    const ValueId both = graph.AddNode("Flatten", "flat2", {relu});
    graph.MarkOutput(kModelOutput, graph.AddNode("Add", "sum",
                                                 {Linear("fc1", pool, 8, 3, &graph),
                                                  Linear("fc2", both, 32, 3, &graph)}));
  }
  const Graph training = ForTraining(graph);
  TypedGraph typed = Typed(training);
  Fuse(&typed);
  CHECK(BackwardNodes(typed.graph) == BackwardNodes(training));
}

}  // namespace
}  // namespace rm::graph
