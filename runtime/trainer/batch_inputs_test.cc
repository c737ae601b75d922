#include "runtime/trainer/batch_inputs.h"

#include <catch2/catch.hpp>

#include "kernels/kernels.h"
#include "runtime/model/layout.h"
#include "runtime/model/model.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

// gpt with two tokens a window, compiled for a batch of three.
struct Fixture {
  ringmaster::v1::ModelSpec spec;
  graph::Graph graph;
  std::unique_ptr<graph::Program> program;
  data::SampleLayout layout;

  Fixture() {
    spec.set_zoo("gpt");
    for (const auto& [name, value] : {std::pair{"context", 2}, {"width", 8}, {"layers", 1},
                                      {"heads", 1}}) {
      (*spec.mutable_params())[name] = value;
    }
    const auto model = model::BuildGraph(spec);
    REQUIRE(model.ok());
    layout = model::LayoutOf(*model, spec).value();
    graph = TrainingGraph(spec, 3);
    graph::CompileOptions options;
    options.batch = 3;
    options.kernels = kernels::CpuKernels();
    program = graph::Program::Compile(graph, options).value();
  }
};

TEST_CASE("the model's own inputs are told from those of the loss and of dropout") {
  Fixture fixture;
  CHECK(ModelInputs(fixture.graph) == std::vector<std::string>{"input"});
  ringmaster::v1::ModelSpec dropout;
  dropout.set_zoo("convnet");
  (*dropout.mutable_params())["dropout"] = 0.5;
  CHECK(ModelInputs(TrainingGraph(dropout, 2)) == std::vector<std::string>{"input"});
}

TEST_CASE("a batch's memory is the program's, and as large as its rows") {
  Fixture fixture;
  const auto batch = BatchInputs::Find(*fixture.program, {"input"});
  REQUIRE(batch.ok());
  CHECK(batch->memory().inputs[0] == fixture.program->InputMemory("input").value());
  CHECK(batch->weight_count() == 6);
  CHECK(batch->Check(fixture.layout, 3).ok());
}

TEST_CASE("rows that would not fit are refused before one is written") {
  Fixture fixture;
  const auto batch = BatchInputs::Find(*fixture.program, {"input"});
  REQUIRE(batch.ok());
  CHECK_THAT(std::string(batch->Check(fixture.layout, 4).message()),
             Catch::Contains("'input' has 48 bytes for a batch of 4"));
  data::SampleLayout other = fixture.layout;
  other.target.shape = {1};
  CHECK_THAT(std::string(batch->Check(other, 3).message()), Catch::Contains("'labels' has 48 bytes"));
  other.inputs.clear();
  CHECK_FALSE(batch->Check(other, 3).ok());
  CHECK(absl::IsNotFound(BatchInputs::Find(*fixture.program, {"tokens"}).status()));
}

}  // namespace
}  // namespace rm::trainer
