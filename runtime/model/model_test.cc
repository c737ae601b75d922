#include "runtime/model/model.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "proto/job.pb.h"
#include "runtime/graph/training.h"

namespace rm::model {
namespace {

using ::ringmaster::v1::ModelSpec;

ModelSpec Zoo(const std::string& name) {
  ModelSpec spec;
  spec.set_zoo(name);
  return spec;
}

TEST_CASE("a zoo model gets its loss, and a gradient for each parameter when it is to be trained") {
  for (const char* name : {"mlp", "convnet"}) {
    const auto model = BuildGraph(Zoo(name));
    REQUIRE(model.ok());
    CHECK(model->FindOutput(graph::kLossSum) == graph::kNoValue);
    const auto graph = ForBatch(*model, Zoo(name), 4, Purpose::kTraining);
    REQUIRE(graph.ok());
    CHECK(graph->FindOutput(graph::kLossSum) != graph::kNoValue);
    CHECK(graph->FindOutput(graph::kCorrect) != graph::kNoValue);
    for (const graph::ValueId parameter : graph->parameters()) {
      CHECK(graph->gradients().count(parameter) == 1);
    }
    const auto inference = ForBatch(*model, Zoo(name), 7, Purpose::kInference);
    REQUIRE(inference.ok());
    CHECK(inference->FindOutput(graph::kLossSum) != graph::kNoValue);
    CHECK(inference->gradients().empty());
    CHECK(inference->nodes().size() < graph->nodes().size());
  }
}

TEST_CASE("what does not exist is refused with its key") {
  const auto unknown = BuildGraph(Zoo("convnett"));
  CHECK(unknown.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(unknown.status().message()).find("convnet") != std::string::npos);
  CHECK_FALSE(BuildGraph(ModelSpec()).ok());

  ModelSpec bad_loss = Zoo("mlp");
  bad_loss.set_loss("hinge");
  const auto model = BuildGraph(bad_loss);
  REQUIRE(model.ok());
  const auto loss = ForBatch(*model, bad_loss, 4, Purpose::kTraining);
  CHECK(std::string(loss.status().message()).find("model.loss") == 0);

  ModelSpec bad_param = Zoo("mlp");
  (*bad_param.mutable_params())["clases"] = 10;
  CHECK(BuildGraph(bad_param).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("what a pattern freezes gets no gradient and is told apart from what is trained") {
  ModelSpec spec = Zoo("mlp");
  spec.add_freeze("fc1.*");
  spec.add_freeze("*.bias");
  const auto model = BuildGraph(spec);
  REQUIRE(model.ok());
  CHECK(model->parameters().size() == 2);  // fc2.weight, fc3.weight
  CHECK(model->buffers().size() == 4);
  const auto graph = ForBatch(*model, spec, 4, Purpose::kTraining);
  REQUIRE(graph.ok());
  const graph::ValueId frozen = graph->FindValue("fc1.weight");
  CHECK(graph->value(frozen).kind == graph::ValueKind::kBuffer);
  CHECK(graph->gradients().count(frozen) == 0);
  CHECK(graph->gradients().count(graph->FindValue("fc2.weight")) == 1);
}

TEST_CASE("a pattern that fits nothing is a slip, and is said to be one") {
  ModelSpec spec = Zoo("mlp");
  spec.add_freeze("encoder*");
  CHECK(BuildGraph(spec).status() ==
        absl::InvalidArgumentError("model.freeze: 'encoder*' fits no parameter of the model"));
}

TEST_CASE("data that does not fit the model is refused with both sides named") {
  const auto graph = BuildGraph(Zoo("convnet"));
  REQUIRE(graph.ok());
  CHECK(CheckData(*graph, {1, 28, 28}, 10).ok());
  CHECK(CheckData(*graph, {1, 28, 28}, 3).ok());
  const absl::Status shape = CheckData(*graph, {3, 32, 32}, 10);
  CHECK(std::string(shape.message()).find("[3, 32, 32]") != std::string::npos);
  CHECK(std::string(shape.message()).find("[1, 28, 28]") != std::string::npos);
  const absl::Status classes = CheckData(*graph, {1, 28, 28}, 11);
  CHECK(std::string(classes.message()).find("labels up to 10") != std::string::npos);
}

TEST_CASE("data with one label a sample does not fit a model that wants one for each row of it") {
  graph::Graph graph;
  const graph::ValueId x =
      graph.AddInput(kInput, kernels::DType::kFloat32, {graph::kBatch, 4, 3});
  graph.MarkOutput(graph::kModelOutput, graph.AddNode("Relu", "y", {x}));
  CHECK(CheckData(graph, {4, 3}, 3) ==
        absl::InvalidArgumentError("the model's output [1, 4, 3] wants a label for each row of a "
                                   "sample, the data has one for the whole sample"));
}

TEST_CASE("a row of a table fits a model that takes as many numbers") {
  ModelSpec spec = Zoo("mlp");
  (*spec.mutable_params())["height"] = 1;
  (*spec.mutable_params())["width"] = 4;
  const auto graph = BuildGraph(spec);
  REQUIRE(graph.ok());
  CHECK(CheckData(*graph, {4}, 10).ok());
  CHECK(CheckData(*graph, {5}, 10) ==
        absl::InvalidArgumentError(
            "the data's samples are [5], the model takes [1, 1, 4]; set the model's params "
            "(channels: 1, height: 1, width: 5) or use other data"));
  CHECK_FALSE(CheckData(*graph, {2, 2}, 10).ok());  // of two dimensions: no row
}

TEST_CASE("the zoo's parameters reach the model") {
  ModelSpec spec = Zoo("mlp");
  (*spec.mutable_params())["classes"] = 3;
  (*spec.mutable_params())["channels"] = 2;
  const auto graph = BuildGraph(spec);
  REQUIRE(graph.ok());
  CHECK(CheckData(*graph, {2, 28, 28}, 3).ok());
  CHECK_FALSE(CheckData(*graph, {1, 28, 28}, 3).ok());
  CHECK_FALSE(CheckData(*graph, {2, 28, 28}, 4).ok());
}

}  // namespace
}  // namespace rm::model
