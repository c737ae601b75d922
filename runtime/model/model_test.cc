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

}  // namespace
}  // namespace rm::model
