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

// A batch norm of 2 channels with parameters name.scale and name.bias.
ValueId BatchNorm(const std::string& name, ValueId x, Graph* graph) {
  const ValueId scale = graph->AddParameter(name + ".scale", {2}, {});
  const ValueId bias = graph->AddParameter(name + ".bias", {2}, {});
  return graph->AddNode("BatchNormTraining", name, {x, scale, bias});
}

// x (batch, 1, 3, 3) → a = conv a, b = conv b → relu(bn(a) + r), where r is b or bn(b).
Graph ResidualBlock(bool normalize_both) {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 3, 3});
  const ValueId b = Conv("b", x, 1, 2, 1, &graph);
  const ValueId a = BatchNorm("bn", Conv("a", x, 1, 2, 1, &graph), &graph);
  const ValueId r = normalize_both ? BatchNorm("bn2", b, &graph) : b;
  const ValueId relu = graph.AddNode("Relu", "relu", {graph.AddNode("Add", "sum", {a, r})});
  graph.MarkOutput(kModelOutput,
                   Linear("fc", graph.AddNode("Flatten", "flat", {relu}), 18, 3, &graph));
  return graph;
}

TEST_CASE("a batch norm takes the residual and the Relu behind it", "[fusion]") {
  CHECK_THAT(Nodes(Fused(ResidualBlock(false))),
             Catch::Contains("relu = BatchNormTraining(a, bn.scale, bn.bias, b) "
                             "{activation = \"relu\"}\n"
                             "flat = Flatten(relu)\n"));
}

TEST_CASE("of two batch norms that are added the later one takes the sum", "[fusion]") {
  CHECK_THAT(Nodes(Fused(ResidualBlock(true))),
             Catch::Contains("bn = BatchNormTraining(a, bn.scale, bn.bias)\n"
                             "relu = BatchNormTraining(b, bn2.scale, bn2.bias, bn) "
                             "{activation = \"relu\"}\n"));
}

TEST_CASE("a residual stays where the batch norm's own result is read, or is not its size",
          "[fusion]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 3, 3});
  const ValueId bn = BatchNorm("bn", x, &graph);
  SECTION("read elsewhere") {
    graph.MarkOutput("before", bn);
    graph.MarkOutput("output", graph.AddNode("Add", "sum", {bn, x}));
  }
  SECTION("stretched") {
    const ValueId shift = graph.AddParameter("shift", {2, 1, 1}, {});
    graph.MarkOutput("output", graph.AddNode("Add", "sum", {bn, shift}));
  }
  const std::string nodes = Nodes(graph);
  CHECK(Nodes(Fused(graph)) == nodes);
}

TEST_CASE("the gradient of a batch norm takes the mask of the Relu behind it", "[fusion]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 3, 3});
  const ValueId bn = BatchNorm("bn", Conv("a", x, 1, 2, 1, &graph), &graph);
  const ValueId flat = graph.AddNode("Flatten", "flat", {graph.AddNode("Relu", "relu", {bn})});
  graph.MarkOutput(kModelOutput, Linear("fc", flat, 18, 3, &graph));
  CHECK_THAT(BackwardNodes(Fused(ForTraining(graph))),
             Catch::Contains("BatchNormGrad(flat/dX, a, bn.scale, bn:1, bn:3, relu) "
                             "{activation = \"relu\"}\n"));
}

TEST_CASE("the mask of a residual block is taken once, for both of its ways", "[fusion]") {
  const std::string nodes = BackwardNodes(Fused(ForTraining(ResidualBlock(false))));
  CHECK_THAT(nodes, Catch::Contains("relu/dX = ReluGrad(flat/dX, relu)\n"));
  CHECK_THAT(nodes, Catch::Contains("BatchNormGrad(relu/dX, a, bn.scale, bn:1, bn:3)\n"));
}

}  // namespace
}  // namespace rm::graph
