#include "runtime/graph/precision.h"

#include <catch2/catch.hpp>
#include <string>

#include "runtime/graph/fusion.h"
#include "runtime/graph/graph_testing.h"
#include "runtime/graph/prune.h"

namespace rm::graph {
namespace {

using kernels::DType;

// A graph after fusion and the pass.
TypedGraph Narrowed(const Graph& graph) {
  TypedGraph typed = Typed(graph);
  Fuse(&typed);
  EliminateDeadNodes(&typed.graph);
  UseBfloat16(&typed);
  return typed;
}

// Names of the values in bfloat16, in order.
std::string Narrow(const TypedGraph& typed) {
  std::string names;
  for (size_t i = 0; i < typed.graph.values().size(); ++i) {
    if (typed.types[i].dtype != DType::kBfloat16) continue;
    absl::StrAppend(&names, names.empty() ? "" : " ", typed.graph.values()[i].name);
  }
  return names;
}

// conv → batch norm → relu, and the input of the convolution added behind it, then pooled to (2).
Graph Residual() {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 4, 4});
  const ValueId first = graph.AddNode(
      "Conv", "first", {x, graph.AddParameter("first.w", {2, 2, 1, 1}, {})});
  const ValueId conv = graph.AddNode(
      "Conv", "conv", {first, graph.AddParameter("conv.w", {2, 2, 1, 1}, {})});
  const ValueId gamma = graph.AddParameter("gamma", {2}, {});
  const ValueId beta = graph.AddParameter("beta", {2}, {});
  const ValueId norm =
      graph.AddNodeWithOutputs("BatchNormTraining", "norm", {conv, gamma, beta}, 4)[0];
  const ValueId sum = graph.AddNode("Add", "sum", {norm, first});
  const ValueId relu = graph.AddNode("Relu", "relu", {sum});
  const ValueId pool = graph.AddNode("GlobalAveragePool", "pool", {relu});
  graph.MarkOutput(kModelOutput, graph.AddNode("Flatten", "flatten", {pool}));
  return graph;
}

TEST_CASE("names are those of job files", "[precision]") {
  CHECK(*FindPrecision("fp32") == Precision::kFloat32);
  CHECK(*FindPrecision("bf16") == Precision::kBfloat16);
  CHECK(std::string(PrecisionName(Precision::kBfloat16)) == "bf16");
  const absl::Status unknown = FindPrecision("fp16").status();
  CHECK(absl::IsInvalidArgument(unknown));
  CHECK_THAT(std::string(unknown.message()), Catch::Contains("possible: fp32, bf16"));
}

TEST_CASE("from the first convolution on images stay in bfloat16, until the loss", "[precision]") {
  const TypedGraph typed = Narrowed(ForTraining(Residual()));
  CHECK(ForwardNodes(typed.graph) ==
        "x/bfloat16 = Cast(x) {to = \"bfloat16\"}\n"
        "first = Conv(x/bfloat16, first.w)\n"
        "conv = Conv(first, conv.w)\n"
        "relu, norm:1, -, norm:3 = BatchNormTraining(conv, gamma, beta, first) "
        "{activation = \"relu\"}\n"
        "pool = GlobalAveragePool(relu)\n"
        "flatten = Flatten(pool)\n"
        "flatten/float32 = Cast(flatten) {to = \"float32\"}\n"
        "loss_sum, loss_sum:1 = SoftmaxCrossEntropy(flatten/float32, labels, weights)\n"
        "correct = CountCorrect(flatten/float32, labels, weights)\n");
  CHECK(typed.graph.FindOutput(kModelOutput) == typed.graph.FindValue("flatten/float32"));
  for (const char* name : {"first", "conv", "relu", "pool", "flatten"}) {
    INFO(name);
    CHECK(typed.type(typed.graph.FindValue(name)).dtype == DType::kBfloat16);
  }
  for (const char* name : {"x", "first.w", "gamma", "norm:1", "norm:3", "loss_sum"}) {
    INFO(name);
    CHECK(typed.type(typed.graph.FindValue(name)).dtype == DType::kFloat32);
  }
}

TEST_CASE("gradients have the type of what they belong to; those of parameters are float32",
          "[precision]") {
  const TypedGraph typed = Narrowed(ForTraining(Residual()));
  CHECK(BackwardNodes(typed.graph) ==
        "  loss_sum/dlogits = SoftmaxCrossEntropyGrad(loss_sum:1, labels, weights, scale)\n"
        "  loss_sum/dlogits/bfloat16 = Cast(loss_sum/dlogits) {to = \"bfloat16\"}\n"
        "  flatten/dX = Reshape(loss_sum/dlogits/bfloat16)\n"
        "  pool/dX = GlobalAveragePoolGrad(flatten/dX)\n"
        "  relu/dX = ReluGrad(pool/dX, relu)\n"
        "  norm/dX, norm/dX:1, norm/dX:2 = BatchNormGrad(relu/dX, conv, gamma, norm:1, norm:3)\n"
        "  conv/dW = ConvGradWeight(first, norm/dX)\n"
        "  conv/dX = ConvGradInput(norm/dX, conv.w)\n"
        "  first/sum = Add(relu/dX, conv/dX)\n"
        "  first/dW = ConvGradWeight(x/bfloat16, first/sum)\n");
  for (const ValueId parameter : typed.graph.parameters()) {
    const ValueId gradient = typed.graph.gradients().at(parameter);
    INFO(typed.graph.value(parameter).name);
    CHECK(typed.type(gradient).dtype == DType::kFloat32);
    CHECK(typed.type(parameter).dtype == DType::kFloat32);
  }
}

TEST_CASE("products take bfloat16 and give float32; a weight is cast once for both passes",
          "[precision]") {
  const TypedGraph typed = Narrowed(ForTraining(TwoLayers()));
  CHECK(Narrow(typed) ==
        "x/bfloat16 fc1.weight/bfloat16 relu/bfloat16 fc2.weight/bfloat16 "
        "loss_sum/dlogits/bfloat16 relu/dX/bfloat16");
  const std::string nodes = Nodes(typed.graph);
  CHECK_THAT(nodes, Catch::Contains("fc2 = Gemm(relu/bfloat16, fc2.weight/bfloat16, fc2.bias)"));
  CHECK_THAT(nodes,
             Catch::Contains("fc2/dA = Gemm(loss_sum/dlogits/bfloat16, fc2.weight/bfloat16)"));
  CHECK_THAT(nodes, Catch::Contains("relu/dX = ReluGrad(fc2/dA, relu)\n"));
}

TEST_CASE("what follows does so only where all its operands are in bfloat16", "[precision]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 4, 4});
  const ValueId w = graph.AddParameter("w", {2, 2, 1, 1}, {});
  const ValueId conv = graph.AddNode("Conv", "conv", {x, w});
  const ValueId mixed = graph.AddNode("Add", "mixed", {conv, x});
  const ValueId relu = graph.AddNode("Relu", "relu", {x});
  graph.MarkOutput("a", graph.AddNode("Sigmoid", "sigmoid", {conv}));
  graph.MarkOutput("b", mixed);
  graph.MarkOutput("c", relu);
  TypedGraph typed = Typed(graph);
  UseBfloat16(&typed);
  CHECK(Nodes(typed.graph) ==
        "x/bfloat16 = Cast(x) {to = \"bfloat16\"}\n"
        "conv = Conv(x/bfloat16, w)\n"
        "conv/float32 = Cast(conv) {to = \"float32\"}\n"
        "mixed = Add(conv/float32, x)\n"
        "relu = Relu(x)\n"
        "sigmoid = Sigmoid(conv/float32)\n");
}

TEST_CASE("integers are no floats of another size", "[precision]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kInt64, {kBatch, 2});
  const ValueId sum = graph.AddNode("Add", "sum", {x, x});
  graph.MarkOutput("output", graph.AddNode("Flatten", "flat", {sum}));
  TypedGraph typed = Typed(graph);
  UseBfloat16(&typed);
  CHECK(Nodes(typed.graph) == Nodes(graph));
  for (const kernels::TensorType& type : typed.types) CHECK(type.dtype == DType::kInt64);
}

}  // namespace
}  // namespace rm::graph
