#include "runtime/graph/kernel_choice.h"

#include <catch2/catch.hpp>

#include "runtime/graph/graph_testing.h"
#include "runtime/graph/kernel_testing.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::KernelEntry;
using kernels::Layout;
using kernels::LayoutChoice;
using kernels::OpInstance;

struct Chosen {
  TypedGraph typed;
  std::vector<const KernelEntry*> entries;
};

Chosen Choose(const Graph& graph, const std::vector<KernelEntry>& table, bool blocked = true) {
  Chosen chosen;
  chosen.typed = Typed(graph);
  auto entries = ChooseKernels(table, {}, blocked, &chosen.typed);
  REQUIRE(entries.status() == absl::OkStatus());
  chosen.entries = *std::move(entries);
  REQUIRE(chosen.entries.size() == chosen.typed.graph.nodes().size());
  return chosen;
}

TEST_CASE("blocked layouts run through convolution, relu and pooling, and back",
          "[kernel_choice]") {
  const Chosen chosen = Choose(ForTraining(SmallConvnet()), BlockedTable());
  const Graph& graph = chosen.typed.graph;
  CHECK(ForwardNodes(graph) ==
        "conv1 = Conv(x, conv1.weight, conv1.bias)\n"
        "relu1 = Relu(conv1)\n"
        "conv2 = Conv(relu1, conv2.weight, conv2.bias)\n"
        "relu2 = Relu(conv2)\n"
        "pool, pool:1 = MaxPool(relu2) {kernel_shape = [2, 2], strides = [2, 2]}\n"
        "pool/plain = Reorder(pool)\n"
        "flatten = Flatten(pool/plain)\n"
        "fc = Gemm(flatten, fc.weight, fc.bias) {transB = 1}\n"
        "loss_sum, loss_sum:1 = SoftmaxCrossEntropy(fc, labels, weights)\n"
        "correct = CountCorrect(fc, labels, weights)\n");
  CHECK(BackwardNodes(graph) ==
        "  loss_sum/dlogits = SoftmaxCrossEntropyGrad(loss_sum:1, labels, weights, scale)\n"
        "  fc/dB = Gemm(loss_sum/dlogits, flatten) {transA = 1}\n"
        "  fc/dC = ReduceSum(loss_sum/dlogits) {axes = [0], keepdims = 0}\n"
        "  fc/dA = Gemm(loss_sum/dlogits, fc.weight)\n"
        "  flatten/dX = Reshape(fc/dA)\n"
        "  flatten/dX/channels16 = Reorder(flatten/dX)\n"
        "  pool/dX = MaxPoolGrad(flatten/dX/channels16, pool:1) {kernel_shape = [2, 2], strides = "
        "[2, 2]}\n"
        "  relu2/dX = ReluGrad(pool/dX, relu2)\n"
        "  conv2/dW, conv2/dW:1 = ConvGradWeight(relu1, relu2/dX)\n"
        "  conv2/dX = ConvGradInput(relu2/dX, conv2.weight)\n"
        "  relu1/dX = ReluGrad(conv2/dX, relu1)\n"
        "  conv1/dW, conv1/dW:1 = ConvGradWeight(x, relu1/dX)\n");
  const auto layout = [&](const char* name) {
    return chosen.typed.type(graph.FindValue(name)).layout;
  };
  for (const char* name : {"conv1", "relu1", "relu2", "pool", "pool:1", "relu2/dX", "relu1/dX"}) {
    INFO(name);
    CHECK(layout(name) == Layout::kChannels16);
  }
  for (const char* name : {"x", "pool/plain", "flatten", "conv2/dW", "conv2.weight"}) {
    INFO(name);
    CHECK(layout(name) == Layout::kPlain);
  }
}

TEST_CASE("without blocked layouts nothing is reordered", "[kernel_choice]") {
  const Graph training = ForTraining(SmallConvnet());
  const Chosen chosen = Choose(training, BlockedTable(), false);
  CHECK(Nodes(chosen.typed.graph) == Nodes(training));
  for (const kernels::TensorType& type : chosen.typed.types) CHECK(type.layout == Layout::kPlain);
}

TEST_CASE("an output in a blocked layout is delivered in plain layout", "[kernel_choice]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 4, 4});
  const ValueId y = Conv("conv", x, 1, 2, 3, &graph);
  graph.MarkOutput("image", y);
  graph.MarkOutput("rectified", graph.AddNode("Relu", "relu", {y}));
  const Chosen chosen = Choose(graph, BlockedTable());
  CHECK(Nodes(chosen.typed.graph) ==
        "conv = Conv(x, conv.weight, conv.bias)\n"
        "conv/plain = Reorder(conv)\n"
        "relu = Relu(conv)\n"
        "relu/plain = Reorder(relu)\n");
  CHECK(chosen.typed.graph.FindOutput("image") == chosen.typed.graph.FindValue("conv/plain"));
}

TEST_CASE("a reordered value is shared by its readers", "[kernel_choice]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 4, 4});
  const ValueId a = Conv("a", x, 2, 3, 3, &graph);
  const ValueId b = Conv("b", x, 2, 3, 3, &graph);
  graph.MarkOutput("output",
                   graph.AddNode("Flatten", "flat", {graph.AddNode("Add", "sum", {a, b})}));
  const Chosen chosen = Choose(graph, BlockedTable());
  CHECK(Nodes(chosen.typed.graph) ==
        "x/channels16 = Reorder(x)\n"
        "a = Conv(x/channels16, a.weight, a.bias)\n"
        "b = Conv(x/channels16, b.weight, b.bias)\n"
        "sum = Add(a, b)\n"
        "sum/plain = Reorder(sum)\n"
        "flat = Flatten(sum/plain)\n");
}

TEST_CASE("an element-wise operator runs where the fewest bytes move", "[kernel_choice]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 4, 4});
  const ValueId y = Conv("conv", x, 2, 2, 1, &graph);  // blocked, with 14 channels of padding
  graph.MarkOutput("output",
                   graph.AddNode("Flatten", "flat", {graph.AddNode("Add", "sum", {x, y})}));
  // x exists in both layouts by then, y in blocks alone.
  CHECK(Nodes(Choose(graph, BlockedTable()).typed.graph) ==
        "x/channels16 = Reorder(x)\n"
        "conv = Conv(x/channels16, conv.weight, conv.bias)\n"
        "sum = Add(x/channels16, conv)\n"
        "sum/plain = Reorder(sum)\n"
        "flat = Flatten(sum/plain)\n");
}

TEST_CASE("a broadcasting Add is not element-wise", "[kernel_choice]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 4, 4});
  const ValueId bias = graph.AddParameter("bias", {2, 1, 1}, {});
  const ValueId sum = graph.AddNode("Add", "sum", {Conv("conv", x, 2, 2, 1, &graph), bias});
  graph.MarkOutput("output", sum);
  CHECK_THAT(Nodes(Choose(graph, BlockedTable()).typed.graph),
             Catch::Contains("conv/plain = Reorder(conv)\nsum = Add(conv/plain, bias)\n"));
}

TEST_CASE("the first entry that supports what it wants is taken", "[kernel_choice]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  graph.MarkOutput("output", Linear("fc", x, 4, 3, &graph));
  const auto refuse = [](const OpInstance&) { return false; };
  const std::vector<KernelEntry> table = {
      {"Gemm", "picky", refuse, nullptr, &MakeFakeKernel, -1},
      {"Gemm", "first", &AllPlain, nullptr, &MakeFakeKernel, -1},
      {"Gemm", "second", &AllPlain, nullptr, &MakeFakeKernel, -1}};
  CHECK(Choose(graph, table).entries == std::vector<const KernelEntry*>{&table[1]});
}

TEST_CASE("all nodes without a kernel are listed", "[kernel_choice]") {
  TypedGraph typed = Typed(TwoLayers());
  const std::vector<KernelEntry> table = {PlainEntry("Relu")};
  CHECK(ChooseKernels(table, {}, true, &typed).status() ==
        absl::InvalidArgumentError(
            "no kernel for node 'fc1': Gemm([2, 4], [5, 4], [5]) → [2, 5]; node 'fc2': "
            "Gemm([2, 5], [3, 5], [3]) → [2, 3]"));
}

}  // namespace
}  // namespace rm::graph
