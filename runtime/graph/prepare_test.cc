#include "runtime/graph/prepare.h"

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/match.h"
#include "base/random.h"
#include "runtime/graph/debug_string.h"
#include "runtime/graph/training.h"

namespace rm::graph {
namespace {

// x (batch, 3, 4, 4) → norm → drop → output.
struct Model {
  Graph graph;
  ValueId x, scale, bias, mean, variance, norm;

  explicit Model(kernels::Attributes norm_attributes = {}, float ratio = 0.25F) {
    x = graph.AddInput("x", kernels::DType::kFloat32, {kBatch, 3, 4, 4});
    scale = graph.AddParameter("norm.weight", {3}, {});
    bias = graph.AddParameter("norm.bias", {3}, {});
    mean = graph.AddBuffer("norm.running_mean", {3}, {});
    variance = graph.AddBuffer("norm.running_var", {3}, {});
    norm = graph.AddNode("BatchNormalization", "norm", {x, scale, bias, mean, variance},
                         std::move(norm_attributes));
    const ValueId drop = graph.AddNode("Dropout", "drop", {norm}, {{"ratio", ratio}});
    graph.MarkOutput(kModelOutput, graph.AddNode("Relu", "relu", {drop}));
  }
};

TEST_CASE("in training, a normalisation uses its batch, and its running statistics follow it",
          "[prepare]") {
  Model model({{"epsilon", 1e-3F}, {"momentum", 0.8F}});
  REQUIRE(PrepareTraining(&model.graph) == absl::OkStatus());
  const Node& node = model.graph.nodes()[0];
  CHECK(node.op == "BatchNormTraining");
  CHECK(node.inputs == std::vector<ValueId>{model.x, model.scale, model.bias});
  CHECK(node.outputs.size() == 4);
  CHECK(node.attributes == kernels::Attributes{{"epsilon", 1e-3F}});
  const auto& updates = model.graph.buffer_updates();
  REQUIRE(updates.size() == 2);
  CHECK(updates.at(model.mean).statistic == node.outputs[1]);
  CHECK(updates.at(model.variance).statistic == node.outputs[2]);
  CHECK(updates.at(model.mean).momentum == 0.2F);  // ONNX says what is kept
}

TEST_CASE("without attributes a normalisation is ONNX's default, which is PyTorch's", "[prepare]") {
  Model model;
  REQUIRE(PrepareTraining(&model.graph) == absl::OkStatus());
  CHECK(model.graph.nodes()[0].attributes == kernels::Attributes{{"epsilon", 1e-5F}});
  CHECK(model.graph.buffer_updates().at(model.variance).momentum == 0.1F);
}

TEST_CASE("a frozen normalisation stays as it is", "[prepare]") {
  Model model;
  model.graph.Freeze(model.scale);
  REQUIRE(PrepareTraining(&model.graph) == absl::OkStatus());
  CHECK(model.graph.nodes()[0].op == "BatchNormalization");
  CHECK(model.graph.buffer_updates().empty());
}

TEST_CASE("two normalisations cannot share their running statistics", "[prepare]") {
  Model model;
  model.graph.AddNode("BatchNormalization", "again",
                      {model.norm, model.scale, model.bias, model.mean, model.variance});
  const absl::Status status = PrepareTraining(&model.graph);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(absl::StrContains(status.message(), "node 'again' (BatchNormalization)"));
  CHECK(absl::StrContains(status.message(), "'norm.running_mean' is that of two"));
}

TEST_CASE("dropout draws by counters in training and vanishes in use", "[prepare]") {
  Model training;
  REQUIRE(SwitchDropout(true, &training.graph) == absl::OkStatus());
  const ValueId counters = training.graph.FindValue(kCounters);
  REQUIRE(counters != kNoValue);
  CHECK(training.graph.value(counters).dtype == kernels::DType::kInt64);
  CHECK(training.graph.value(counters).shape == kernels::Shape{3});
  const Node& node = training.graph.nodes()[1];
  CHECK(node.op == "DropoutTraining");
  CHECK(node.inputs == std::vector<ValueId>{training.norm, counters});
  CHECK(node.attributes.Float("ratio", 0) == 0.25F);
  CHECK(node.attributes.Int("stream", 0) == static_cast<int64_t>(base::StableHash("drop")));

  Model inference;
  REQUIRE(SwitchDropout(false, &inference.graph) == absl::OkStatus());
  CHECK(inference.graph.FindValue(kCounters) == kNoValue);
  REQUIRE(inference.graph.nodes().size() == 2);
  CHECK(inference.graph.nodes()[1].inputs == std::vector<ValueId>{inference.norm});
}

TEST_CASE("dropout of nothing vanishes in training too", "[prepare]") {
  Model model({}, 0.0F);
  REQUIRE(SwitchDropout(true, &model.graph) == absl::OkStatus());
  CHECK(model.graph.FindValue(kCounters) == kNoValue);
  CHECK(model.graph.nodes().size() == 2);
}

TEST_CASE("a model whose output is dropped from keeps its output", "[prepare]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {kBatch, 3});
  const ValueId relu = graph.AddNode("Relu", "relu", {x});
  const ValueId first = graph.AddNode("Dropout", "first", {relu}, {{"ratio", 0.5F}});
  graph.MarkOutput(kModelOutput, graph.AddNode("Dropout", "second", {first}, {{"ratio", 0.5F}}));
  REQUIRE(SwitchDropout(false, &graph) == absl::OkStatus());
  CHECK(graph.FindOutput(kModelOutput) == relu);
  CHECK(graph.nodes().size() == 1);
}

TEST_CASE("an exporter's dropout, whose ratio is an operand, is left as it is", "[prepare]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {kBatch, 3});
  const ValueId ratio = graph.AddConstant("ratio", {}, {0.5F});
  graph.MarkOutput(kModelOutput, graph.AddNode("Dropout", "drop", {x, ratio}));
  for (const bool training : {false, true}) {
    REQUIRE(SwitchDropout(training, &graph) == absl::OkStatus());
    CHECK(graph.nodes()[0].inputs == std::vector<ValueId>{x, ratio});
  }
}

TEST_CASE("what dropout cannot be is refused by name", "[prepare]") {
  Model all({}, 1.0F);
  const absl::Status ratio = SwitchDropout(true, &all.graph);
  CHECK(absl::StrContains(ratio.message(), "node 'drop' (Dropout): its ratio 1 is not in [0, 1)"));
  Model named;
  named.graph.AddInput(kCounters, kernels::DType::kFloat32, {kBatch});
  CHECK(absl::StrContains(SwitchDropout(true, &named.graph).message(), "rename it"));
}

}  // namespace
}  // namespace rm::graph
