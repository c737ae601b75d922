#include "runtime/zoo/zoo.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "runtime/graph/debug_string.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"

namespace rm::zoo {
namespace {

graph::Graph Built(const std::string& name, const std::map<std::string, double>& params = {}) {
  auto graph = BuildModel(name, params);
  REQUIRE(graph.status() == absl::OkStatus());
  return *std::move(graph);
}

int64_t ParameterCount(const graph::Graph& graph) {
  int64_t count = 0;
  for (graph::ValueId id : graph.parameters()) {
    count += kernels::ElementCount(graph.value(id).shape);
  }
  return count;
}

// The shape of the model's output for a batch.
std::string OutputShape(const graph::Graph& graph, int64_t batch) {
  const auto types = graph::InferTypes(graph, batch);
  REQUIRE(types.status() == absl::OkStatus());
  return (*types)[static_cast<size_t>(graph.FindOutput(graph::kModelOutput))].ToString();
}

absl::Status BuildError(const std::string& name, const std::map<std::string, double>& params) {
  return BuildModel(name, params).status();
}

TEST_CASE("mlp is 784-512-256-10 with PyTorch's names", "[zoo]") {
  CHECK(graph::DebugString(Built("mlp")) ==
        "input input: [batch, 1, 28, 28]\n"
        "parameter fc1.weight: [512, 784]\n"
        "parameter fc1.bias: [512]\n"
        "parameter fc2.weight: [256, 512]\n"
        "parameter fc2.bias: [256]\n"
        "parameter fc3.weight: [10, 256]\n"
        "parameter fc3.bias: [10]\n"
        "flatten = Flatten(input)\n"
        "fc1 = Gemm(flatten, fc1.weight, fc1.bias) {transB = 1}\n"
        "relu1 = Relu(fc1)\n"
        "fc2 = Gemm(relu1, fc2.weight, fc2.bias) {transB = 1}\n"
        "relu2 = Relu(fc2)\n"
        "fc3 = Gemm(relu2, fc3.weight, fc3.bias) {transB = 1}\n"
        "output output = fc3\n");
  CHECK(ParameterCount(Built("mlp")) == 535818);
}

TEST_CASE("convnet is the network of the PyTorch examples", "[zoo]") {
  CHECK(graph::DebugString(Built("convnet")) ==
        "input input: [batch, 1, 28, 28]\n"
        "parameter conv1.weight: [32, 1, 3, 3]\n"
        "parameter conv1.bias: [32]\n"
        "parameter conv2.weight: [64, 32, 3, 3]\n"
        "parameter conv2.bias: [64]\n"
        "parameter fc1.weight: [128, 9216]\n"
        "parameter fc1.bias: [128]\n"
        "parameter fc2.weight: [10, 128]\n"
        "parameter fc2.bias: [10]\n"
        "conv1 = Conv(input, conv1.weight, conv1.bias) {kernel_shape = [3, 3]}\n"
        "relu1 = Relu(conv1)\n"
        "conv2 = Conv(relu1, conv2.weight, conv2.bias) {kernel_shape = [3, 3]}\n"
        "relu2 = Relu(conv2)\n"
        "pool = MaxPool(relu2) {kernel_shape = [2, 2], strides = [2, 2]}\n"
        "flatten = Flatten(pool)\n"
        "fc1 = Gemm(flatten, fc1.weight, fc1.bias) {transB = 1}\n"
        "relu3 = Relu(fc1)\n"
        "fc2 = Gemm(relu3, fc2.weight, fc2.bias) {transB = 1}\n"
        "output output = fc2\n");
  CHECK(ParameterCount(Built("convnet")) == 1199882);
}

TEST_CASE("resnet18 and gpt have the parameters of PyTorch's, by name and number", "[zoo]") {
  const graph::Graph resnet = Built("resnet18");
  CHECK(ParameterCount(resnet) == 11'173'962);
  CHECK(resnet.buffers().size() == 2 * 20);
  for (const char* name : {"stem.0.weight", "stem.1.running_var", "body.0.c1.weight", "body.2.sc.0.weight",
                           "body.7.b2.bias", "fc.bias"}) {
    CHECK(resnet.FindValue(name) != graph::kNoValue);
  }
  CHECK(resnet.FindValue("body.0.sc.0.weight") == graph::kNoValue);  // nothing to project
  const graph::Graph gpt = Built("gpt");
  CHECK(ParameterCount(gpt) == 818'176);
  for (const char* name : {"te.weight", "pe.weight", "blocks.0.l1.weight", "blocks.3.qkv.bias",
                           "blocks.3.f2.weight", "ln.bias", "head.weight"}) {
    CHECK(gpt.FindValue(name) != graph::kNoValue);
  }
  CHECK(gpt.FindValue("head.bias") == graph::kNoValue);
}

TEST_CASE("every model of the table has scores for each sample, at any batch size", "[zoo]") {
  for (const std::string& name : ModelNames()) {
    INFO(name);
    const graph::Graph graph = Built(name);
    for (int64_t batch : {1, 3}) {
      CHECK(OutputShape(graph, batch) ==
            absl::StrCat("[", batch, name == "gpt" ? ", 64, 65]" : ", 10]"));
    }
  }
}

TEST_CASE("heads must divide the width", "[zoo]") {
  CHECK(BuildError("gpt", {{"width", 130}}).message() ==
        "model 'gpt': 4 heads do not divide a width of 130");
  CHECK(OutputShape(Built("gpt", {{"width", 12}, {"heads", 3}, {"context", 5}, {"vocabulary", 7},
                                  {"layers", 1}}),
                    2) == "[2, 5, 7]");
}

TEST_CASE("parameters change the sizes of a model", "[zoo]") {
  const std::map<std::string, double> params = {
      {"classes", 3}, {"channels", 3}, {"height", 6}, {"width", 9}};
  CHECK(OutputShape(Built("mlp", params), 5) == "[5, 3]");
  CHECK(OutputShape(Built("convnet", params), 5) == "[5, 3]");
  const graph::Graph mlp = Built("mlp", {{"hidden1", 7}, {"hidden2", 4}});
  CHECK(ParameterCount(mlp) == 785 * 7 + 8 * 4 + 5 * 10);
  const graph::Graph convnet = Built("convnet", params);
  CHECK(convnet.value(convnet.FindValue("fc1.weight")).shape == kernels::Shape{128, 64 * 1 * 2});
}

TEST_CASE("dropout stands where PyTorch's example has it, and only where it is asked for", "[zoo]") {
  const auto nodes = [](double dropout) {
    std::string text;
    const graph::Graph graph = Built("convnet", {{"dropout", dropout}});
    for (const graph::Node& node : graph.nodes()) {
      if (node.op == "Dropout") {
        absl::StrAppend(&text, node.name, " ", node.attributes.Float("ratio", 0), " ");
      }
    }
    return text;
  };
  CHECK(nodes(0).empty());
  CHECK(nodes(0.25) == "dropout1 0.25 dropout2 0.5 ");
  CHECK(nodes(0.75) == "dropout1 0.75 dropout2 0.9 ");  // something must be left
  CHECK(OutputShape(Built("convnet", {{"dropout", 0.25}}), 4) == "[4, 10]");
}

TEST_CASE("weights and biases are drawn from U(−1/√fan_in, 1/√fan_in)", "[zoo]") {
  const graph::Graph graph = Built("convnet");
  struct Expected {
    const char* name;
    double fan_in;
  };
  const Expected cases[] = {{"conv1.weight", 9}, {"conv1.bias", 9},    {"conv2.weight", 288},
                            {"conv2.bias", 288}, {"fc1.weight", 9216}, {"fc1.bias", 9216},
                            {"fc2.weight", 128}, {"fc2.bias", 128}};
  for (const Expected& expected : cases) {
    INFO(expected.name);
    const graph::Initializer& initializer = graph.value(graph.FindValue(expected.name)).initializer;
    CHECK(initializer.kind == graph::Initializer::Kind::kUniform);
    CHECK(static_cast<double>(initializer.scale) == Approx(1 / std::sqrt(expected.fan_in)));
  }
}

TEST_CASE("the table lists names and defaults", "[zoo]") {
  CHECK(ModelNames() == std::vector<std::string>{"mlp", "convnet", "resnet18", "gpt"});
  CHECK(ModelParams("mlp") == std::map<std::string, double>{{"channels", 1},
                                                            {"classes", 10},
                                                            {"height", 28},
                                                            {"hidden1", 512},
                                                            {"hidden2", 256},
                                                            {"width", 28}});
  CHECK(ModelParams("convnet") ==
        std::map<std::string, double>{
            {"channels", 1}, {"classes", 10}, {"dropout", 0}, {"height", 28}, {"width", 28}});
  CHECK(ModelParams("mpl").empty());
}

struct BadModel {
  const char* name;
  std::map<std::string, double> params;
  const char* error;
};

TEST_CASE("what cannot be built says why", "[zoo]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const BadModel cases[] = {
      {"convnt", {}, "unknown model 'convnt' – did you mean 'convnet'? There is mlp, convnet, resnet18, gpt"},
      {"transformer", {}, "unknown model 'transformer'; there is mlp, convnet, resnet18, gpt"},
      {"mlp",
       {{"hiden1", 5}},
       "unknown parameter of model 'mlp': 'hiden1' – did you mean 'hidden1'? There is classes, "
       "hidden1, hidden2, channels, height, width"},
      {"convnet",
       {{"hidden1", 5}},
       "unknown parameter of model 'convnet': 'hidden1'; there is classes, channels, height, "
       "width, dropout"},
      {"mlp",
       {{"classes", 0}},
       "parameter 'classes' of model 'mlp' is 0; it must be a whole number from 1 to 1048576"},
      {"mlp",
       {{"classes", 2.5}},
       "parameter 'classes' of model 'mlp' is 2.5; it must be a whole number from 1 to 1048576"},
      {"mlp",
       {{"width", nan}},
       "parameter 'width' of model 'mlp' is nan; it must be a whole number from 1 to 4096"},
      {"mlp",
       {{"width", 1e18}},
       "parameter 'width' of model 'mlp' is 1e+18; it must be a whole number from 1 to 4096"},
      {"convnet",
       {{"dropout", 1}},
       "parameter 'dropout' of model 'convnet' is 1; it must be at least 0 and below 1"},
      {"convnet",
       {{"dropout", nan}},
       "parameter 'dropout' of model 'convnet' is nan; it must be at least 0 and below 1"},
      {"convnet", {{"height", 5}}, "model 'convnet' needs images of at least 6×6 pixels, not 5×28"},
  };
  for (const BadModel& bad : cases) {
    INFO(bad.error);
    CHECK(BuildError(bad.name, bad.params) == absl::InvalidArgumentError(bad.error));
  }
}

}  // namespace
}  // namespace rm::zoo
