#include "runtime/graph/training.h"

#include <catch2/catch.hpp>

#include "runtime/graph/debug_string.h"
#include "runtime/graph/graph_testing.h"

namespace rm::graph {
namespace {

using kernels::DType;

// The backward pass and the gradients of the graph with a loss.
std::string Differentiated(const Graph& graph) {
  const Graph training = ForTraining(graph);
  return BackwardNodes(training) + GradientLines(training);
}

TEST_CASE("the loss adds its inputs, two nodes and two outputs", "[training]") {
  Graph graph = TwoLayers();
  LossOptions options;
  options.label_smoothing = 0.25F;
  REQUIRE(AttachLoss(options, &graph) == absl::OkStatus());
  CHECK(DebugString(graph) ==
        "input x: [batch, 4]\n"
        "parameter fc1.weight: [5, 4]\n"
        "parameter fc1.bias: [5]\n"
        "parameter fc2.weight: [3, 5]\n"
        "parameter fc2.bias: [3]\n"
        "input labels: int64 [batch]\n"
        "input weights: [batch]\n"
        "input scale: [1]\n"
        "fc1 = Gemm(x, fc1.weight, fc1.bias) {transB = 1}\n"
        "relu = Relu(fc1)\n"
        "fc2 = Gemm(relu, fc2.weight, fc2.bias) {transB = 1}\n"
        "loss_sum, loss_sum:1 = SoftmaxCrossEntropy(fc2, labels, weights) "
        "{label_smoothing = 0.25}\n"
        "correct = CountCorrect(fc2, labels, weights)\n"
        "output correct = correct\n"
        "output loss_sum = loss_sum\n"
        "output output = fc2\n");
}

TEST_CASE("a loss that cannot be attached says why", "[training]") {
  Graph graph = TwoLayers();
  LossOptions options;
  options.loss = "hinge";
  CHECK(AttachLoss(options, &graph) ==
        absl::InvalidArgumentError("unknown loss 'hinge'; there is softmax_cross_entropy, mse, "
                                   "sigmoid_binary_cross_entropy"));
  options = {};
  options.label_smoothing = 1.0F;
  CHECK(AttachLoss(options, &graph) ==
        absl::InvalidArgumentError("label_smoothing 1 is not in [0, 1)"));
  Graph empty;
  CHECK(AttachLoss({}, &empty) ==
        absl::InvalidArgumentError("the model has no output named 'output'"));
  Graph taken = TwoLayers();
  taken.AddInput("weights", DType::kFloat32, {3});
  CHECK(AttachLoss({}, &taken) ==
        absl::InvalidArgumentError(
            "the model has a value named 'weights', which is the loss's own; rename it"));
}

TEST_CASE("labels and weights have the shape of the output without its classes", "[training]") {
  Graph text;
  const ValueId x = text.AddInput("x", DType::kFloat32, {kBatch, 4, 2});
  text.MarkOutput(kModelOutput, text.AddNode("Relu", "y", {x}));
  REQUIRE(AttachLoss({}, &text) == absl::OkStatus());
  CHECK(text.value(text.FindValue(kLabels)).shape == kernels::Shape{kBatch, 4});
  CHECK(text.value(text.FindValue(kLabels)).dtype == DType::kInt64);
  CHECK(text.value(text.FindValue(kWeights)).shape == kernels::Shape{kBatch, 4});
}

TEST_CASE("losses by element take targets of the output's shape, and count nothing right",
          "[training]") {
  for (const char* const loss : {"mse", "sigmoid_binary_cross_entropy"}) {
    Graph graph = TwoLayers();
    LossOptions options;
    options.loss = loss;
    REQUIRE(AttachLoss(options, &graph) == absl::OkStatus());
    CHECK(graph.value(graph.FindValue(kLabels)).shape == kernels::Shape{kBatch, 3});
    CHECK(graph.value(graph.FindValue(kLabels)).dtype == DType::kFloat32);
    CHECK(graph.value(graph.FindValue(kWeights)).shape == kernels::Shape{kBatch});
    CHECK(graph.FindOutput(kLossSum) != kNoValue);
    CHECK(graph.FindOutput(kCorrect) == kNoValue);
    REQUIRE(Differentiate(&graph) == absl::OkStatus());
    CHECK(graph.gradients().count(graph.FindValue("fc1.weight")) == 1);
    options.label_smoothing = 0.1F;
    Graph smoothed = TwoLayers();
    CHECK(AttachLoss(options, &smoothed) ==
          absl::InvalidArgumentError("label_smoothing is for losses with classes"));
  }
}

TEST_CASE("a loss needs rows of float32 values", "[training]") {
  Graph numbers;
  const ValueId x = numbers.AddInput("x", DType::kFloat32, {kBatch});
  numbers.MarkOutput(kModelOutput, numbers.AddNode("Relu", "y", {x}));
  CHECK(AttachLoss({}, &numbers) ==
        absl::InvalidArgumentError("the model's output 'y' has one dimension; this loss needs one "
                                   "for the classes, the last"));
  Graph scalar;
  const ValueId one = scalar.AddInput("one", DType::kFloat32, {});
  scalar.MarkOutput(kModelOutput, scalar.AddNode("Relu", "y", {one}));
  CHECK(AttachLoss({}, &scalar) ==
        absl::InvalidArgumentError("the model's output 'y' is [] for a batch of 2; a loss needs "
                                   "float32 values with the batch as the first dimension"));
  Graph misfit;
  const ValueId z = misfit.AddInput("z", DType::kFloat32, {kBatch, 4});
  const ValueId w = misfit.AddParameter("w", {5, 2}, {});
  misfit.MarkOutput(kModelOutput, misfit.AddNode("Gemm", "fc", {z, w}));
  CHECK(AttachLoss({}, &misfit) ==
        absl::InvalidArgumentError(
            "node 'fc' (Gemm of [2, 4], [5, 2]): the inner dimensions 4 and 5 differ"));
}

TEST_CASE("a model of a fixed batch has labels of that batch", "[training]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {6, 4});
  graph.MarkOutput(kModelOutput, Linear("fc", x, 4, 3, &graph));
  REQUIRE(AttachLoss({}, &graph) == absl::OkStatus());
  CHECK(graph.value(graph.FindValue(kLabels)).shape == kernels::Shape{6});
}

TEST_CASE("the backward pass of two layers, weights first, never the input's gradient",
          "[training]") {
  CHECK(Differentiated(TwoLayers()) ==
        "  loss_sum/dlogits = SoftmaxCrossEntropyGrad(loss_sum:1, labels, weights, scale)\n"
        "  fc2/dB = Gemm(loss_sum/dlogits, relu) {transA = 1}\n"
        "  fc2/dC = ReduceSum(loss_sum/dlogits) {axes = [0], keepdims = 0}\n"
        "  fc2/dA = Gemm(loss_sum/dlogits, fc2.weight)\n"
        "  relu/dX = ReluGrad(fc2/dA, relu)\n"
        "  fc1/dB = Gemm(relu/dX, x) {transA = 1}\n"
        "  fc1/dC = ReduceSum(relu/dX) {axes = [0], keepdims = 0}\n"
        "gradient fc1.weight = fc1/dB\n"
        "gradient fc1.bias = fc1/dC\n"
        "gradient fc2.weight = fc2/dB\n"
        "gradient fc2.bias = fc2/dC\n");
}

TEST_CASE("the backward pass of convolution and pooling", "[training]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 6, 6});
  const ValueId w1 = graph.AddParameter("w1", {2, 1, 3, 3}, {});
  const ValueId b1 = graph.AddParameter("b1", {2}, {});
  const ValueId w2 = graph.AddParameter("w2", {3, 2, 1, 1}, {});
  const ValueId conv1 = graph.AddNode("Conv", "conv1", {x, w1, b1});
  const ValueId conv2 = graph.AddNode("Conv", "conv2", {conv1, w2});
  const ValueId pool = graph.AddNode("MaxPool", "pool", {conv2}, {{"kernel_shape", Ints{4, 4}}});
  graph.MarkOutput(kModelOutput, graph.AddNode("Flatten", "flat", {pool}));
  CHECK(Differentiated(graph) ==
        "  loss_sum/dlogits = SoftmaxCrossEntropyGrad(loss_sum:1, labels, weights, scale)\n"
        "  flat/dX = Reshape(loss_sum/dlogits)\n"
        "  pool/dX = MaxPoolGrad(flat/dX, pool:1) {kernel_shape = [4, 4]}\n"
        "  conv2/dW = ConvGradWeight(conv1, pool/dX)\n"
        "  conv2/dX = ConvGradInput(pool/dX, w2)\n"
        "  conv1/dW, conv1/dW:1 = ConvGradWeight(x, conv2/dX)\n"
        "gradient w1 = conv1/dW\n"
        "gradient b1 = conv1/dW:1\n"
        "gradient w2 = conv2/dW\n");
}

TEST_CASE("gradients of a value that is used more than once are summed", "[training]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 3});
  const ValueId w = graph.AddParameter("w", {3, 3}, {});
  const ValueId once = graph.AddNode("Gemm", "once", {x, w});
  const ValueId again = graph.AddNode("Gemm", "again", {once, w});  // tied weights
  graph.MarkOutput(kModelOutput, graph.AddNode("Add", "sum", {once, again}));
  CHECK(Differentiated(graph) ==
        "  loss_sum/dlogits = SoftmaxCrossEntropyGrad(loss_sum:1, labels, weights, scale)\n"
        "  again/dB = Gemm(once, loss_sum/dlogits) {transA = 1}\n"
        "  again/dA = Gemm(loss_sum/dlogits, w) {transB = 1}\n"
        "  once/sum = Add(loss_sum/dlogits, again/dA)\n"
        "  once/dB = Gemm(x, once/sum) {transA = 1}\n"
        "  w/sum = Add(again/dB, once/dB)\n"
        "gradient w = w/sum\n");
}

TEST_CASE("only what leads to a parameter is differentiated", "[training]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 3});
  const ValueId frozen = graph.AddConstant("frozen", {3, 3}, std::vector<float>(9, 1.0F));
  const ValueId features =
      graph.AddNode("Relu", "features", {graph.AddNode("Gemm", "g", {x, frozen})});
  const ValueId bias = graph.AddParameter("bias", {3}, {});
  const ValueId unused = graph.AddParameter("unused", {3}, {});
  graph.AddNode("Relu", "dead", {unused});
  graph.MarkOutput(kModelOutput, graph.AddNode("Add", "y", {features, bias}));
  CHECK(Differentiated(graph) ==
        "  loss_sum/dlogits = SoftmaxCrossEntropyGrad(loss_sum:1, labels, weights, scale)\n"
        "  y/dB = ReduceSum(loss_sum/dlogits) {axes = [0], keepdims = 0}\n"
        "gradient bias = y/dB\n");
}

TEST_CASE("Gemm differentiates by its transposes, alpha and beta", "[training]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId w0 = graph.AddParameter("w0", {4, 3}, {});
  const ValueId w = graph.AddParameter("w", {3, 3}, {});
  const ValueId c = graph.AddParameter("c", {1, 3}, {});
  const ValueId a = graph.AddNode("Gemm", "a", {x, w0});
  const ValueId gemm = graph.AddNode("Gemm", "gemm", {a, w, c}, {{"alpha", 0.5F}, {"beta", 2.0F}});
  graph.MarkOutput(kModelOutput, gemm);
  const std::string text = Differentiated(graph);
  CHECK_THAT(text,
             Catch::Contains("gemm/dB = Gemm(a, loss_sum/dlogits) {alpha = 0.5, transA = 1}"));
  CHECK_THAT(text,
             Catch::Contains("gemm/dA = Gemm(loss_sum/dlogits, w) {alpha = 0.5, transB = 1}"));
  CHECK_THAT(
      text, Catch::Contains("  gemm/dC = ReduceSum(loss_sum/dlogits) {axes = [0], keepdims = 0}\n"
                            "  gemm/dC/shape = Reshape(gemm/dC)\n"
                            "  gemm/dC/beta = Mul(gemm/dC/shape, constant/2)\n"));
  CHECK_THAT(text, Catch::Contains("gradient c = gemm/dC/beta"));
}

// NaNs out of a masked softmax are replaced so in exported models: y = IsNaN(z) ? 0 : z.
TEST_CASE("truth values and whole numbers end the path of a gradient", "[training]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId w = graph.AddParameter("w", {4, 3}, {});
  const ValueId v = graph.AddParameter("v", {3}, {});
  const ValueId z = graph.AddNode("Gemm", "z", {x, w});
  const ValueId is_nan = graph.AddNode("IsNaN", "is_nan", {z});
  const ValueId less = graph.AddNode("Less", "less", {v, z});
  const ValueId either = graph.AddNode("Or", "either", {is_nan, less});
  const ValueId zero = graph.AddConstant("zero", {}, {0.0F});
  graph.MarkOutput(kModelOutput, graph.AddNode("Where", "y", {either, zero, z}));
  const std::string text = Differentiated(graph);
  CHECK_THAT(text, Catch::Contains("y/d2/chosen = Where(either, constant/0, loss_sum/dlogits)"));
  CHECK_THAT(text, Catch::Contains("gradient w = z/dB"));
  CHECK_THAT(text, !Catch::Contains("gradient v"));
}

TEST_CASE("every operator without a gradient on a path to a parameter is named", "[training]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId w = graph.AddParameter("w", {4, 3}, {});
  const kernels::Attributes rest = {{"fmod", int64_t{1}}};
  const ValueId once = graph.AddNode("Mod", "first", {w, w}, rest);
  const ValueId again = graph.AddNode("Mod", "second", {once, w}, rest);
  // Of an input, a remainder needs no gradient.
  const ValueId number = graph.AddNode("ReduceSum", "number", {x}, {{"axes", Ints{1}}});
  const ValueId free = graph.AddNode("Mod", "free", {number, number}, rest);
  const ValueId both = graph.AddNode("Add", "w2", {once, again});
  const ValueId product = graph.AddNode("Gemm", "y", {x, both});
  graph.MarkOutput(kModelOutput, graph.AddNode("Add", "z", {product, free}));
  REQUIRE(AttachLoss({}, &graph) == absl::OkStatus());
  CHECK(Differentiate(&graph) ==
        absl::InvalidArgumentError("no gradient rule for Mod (node 'first'), Mod (node "
                                   "'second'), between a parameter and the loss"));
}

TEST_CASE("the gradient of a matrix that serves a stack is summed over the stack", "[training]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 3});
  const ValueId w = graph.AddParameter("w", {1, 3, 4}, {});
  const ValueId y = graph.AddNode("MatMul", "scores", {x, w});
  graph.MarkOutput(kModelOutput, graph.AddNode("Flatten", "flat", {y}));
  REQUIRE(AttachLoss({}, &graph) == absl::OkStatus());
  REQUIRE(Differentiate(&graph) == absl::OkStatus());
  CHECK_THAT(DebugString(graph),
             Catch::Contains("  scores/dB = MatMul(x, flat/dX) {transA = 1}\n"
                             "  scores/dB/sum = ReduceSum(scores/dB) {axes = [0], keepdims = 0}\n"
                             "  scores/dB/sum/shape = Reshape(scores/dB/sum)\n"));
}

TEST_CASE("differentiating needs a loss, and is done once", "[training]") {
  Graph graph = TwoLayers();
  CHECK(Differentiate(&graph) ==
        absl::FailedPreconditionError("the graph has no loss: attach one before Differentiate"));
  REQUIRE(AttachLoss({}, &graph) == absl::OkStatus());
  REQUIRE(Differentiate(&graph) == absl::OkStatus());
  CHECK(Differentiate(&graph) ==
        absl::FailedPreconditionError("the graph has a backward pass already"));
}

}  // namespace
}  // namespace rm::graph
