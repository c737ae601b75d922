#include "runtime/model/layout.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "runtime/model/model.h"
#include "runtime/onnx/testing.h"

namespace rm::model {
namespace {

using data::SampleLayout;
using kernels::DType;
using ::ringmaster::v1::ModelSpec;
using Sizes = std::vector<int64_t>;

ModelSpec Zoo(const std::string& name, const std::string& loss = "") {
  ModelSpec spec;
  spec.set_zoo(name);
  spec.set_loss(loss);
  return spec;
}

absl::StatusOr<SampleLayout> LayoutOfSpec(const ModelSpec& spec) {
  const auto graph = BuildGraph(spec);
  REQUIRE(graph.ok());
  return LayoutOf(*graph, spec);
}

// The layout of a model in a file.
absl::StatusOr<SampleLayout> LayoutOfFile(const onnx::ModelBuilder& model,
                                          const std::string& loss = "") {
  const base::TemporaryFolder folder;
  ModelSpec spec;
  spec.set_onnx(folder.File("m.onnx"));
  spec.set_loss(loss);
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), spec.onnx(),
                                    model.proto().SerializeAsString())
              .ok());
  return LayoutOfSpec(spec);
}

TEST_CASE("built-in models say what they take") {
  ModelSpec spec = Zoo("mlp");
  (*spec.mutable_params())["classes"] = 3;
  (*spec.mutable_params())["channels"] = 2;
  const auto mlp = LayoutOfSpec(spec);
  REQUIRE(mlp.ok());
  REQUIRE(mlp->inputs.size() == 1);
  CHECK(mlp->inputs[0].name == kInput);
  CHECK(mlp->inputs[0].shape == Sizes{2, 28, 28});
  CHECK(mlp->target.shape.empty());
  CHECK((mlp->classes == 3 && mlp->has_params && mlp->has_classes()));
}

TEST_CASE("a language model takes a window of tokens and has a class for each of them") {
  const auto gpt = LayoutOfSpec(Zoo("gpt"));
  REQUIRE(gpt.ok());
  CHECK(gpt->inputs[0].dtype == DType::kInt64);
  CHECK(gpt->inputs[0].shape == Sizes{64});
  CHECK(gpt->inputs[0].limit == 65);  // rows of the embedding
  CHECK(gpt->target.shape == Sizes{64});
  CHECK((gpt->classes == 65 && gpt->weights() == 64));
}

TEST_CASE("losses without classes want as many numbers as the output has") {
  for (const char* const loss : {"mse", "sigmoid_binary_cross_entropy"}) {
    const auto layout = LayoutOfSpec(Zoo("mlp", loss));
    REQUIRE(layout.ok());
    CHECK(layout->target.dtype == DType::kFloat32);
    CHECK(layout->target.shape == Sizes{10});
    CHECK(layout->target_is_share == (std::string(loss) != "mse"));
    CHECK(layout->weights() == 1);
  }
}

TEST_CASE("a model from a file has its own names and no parameters") {
  const auto layout = LayoutOfFile(onnx::LinearModel());
  REQUIRE(layout.ok());
  REQUIRE(layout->inputs.size() == 1);
  CHECK(layout->inputs[0].name == "x");
  CHECK(layout->inputs[0].shape == Sizes{4});
  CHECK((layout->classes == 3 && !layout->has_params));
}

TEST_CASE("inputs stand in the order of the file, and a table limits its indices through a Cast") {
  using ringmaster::onnx::TensorProto;
  onnx::ModelBuilder model;
  model.Input("b", {"batch", "2"})
      .Input("ids", {"batch", "2"}, TensorProto::INT32)
      .Weight("table", {7, 2}, 0.5F)
      .Node("Cast", {"ids"}, {"wide"})
      .Int("to", TensorProto::INT64)
      .Node("Gather", {"table", "wide"}, {"rows"})
      .Integers("axes", {2})
      .Node("Unsqueeze", {"b", "axes"}, {"column"})
      .Node("Mul", {"rows", "column"}, {"y"})
      .Output("y");
  const auto layout = LayoutOfFile(model);
  REQUIRE(layout.ok());
  REQUIRE(layout->inputs.size() == 2);
  CHECK((layout->inputs[0].name == "b" && layout->inputs[0].limit == 0));
  CHECK((layout->inputs[1].name == "ids" && layout->inputs[1].limit == 7));
  CHECK(layout->inputs[1].dtype == DType::kInt32);
  CHECK(layout->target.shape == Sizes{2});
}

TEST_CASE("rows that were flattened before the classes are targets of a sample") {
  onnx::ModelBuilder model;
  model.Input("x", {"batch", "6", "4"})
      .Weight("w", {4, 5}, 0.5F)
      .Integers("shape", {-1, 4})
      .Node("Reshape", {"x", "shape"}, {"rows"})
      .Node("MatMul", {"rows", "w"}, {"y"})
      .Output("y");
  const auto layout = LayoutOfFile(model);
  REQUIRE(layout.ok());
  CHECK(layout->target.shape == Sizes{6});
  CHECK((layout->classes == 5 && layout->weights() == 6));
  const auto numbers = LayoutOfFile(model, "mse");
  CHECK_THAT(std::string(numbers.status().message()),
             Catch::Contains("the model's output is [18, 5] for a batch of 3 and [30, 5] for one of "
                             "5; mse needs float32 [batch, …]"));
}

// Batches are taken in from the front, and given out behind the sequence.
onnx::ModelBuilder SequenceFirst(const std::string& length) {
  onnx::ModelBuilder model;
  model.Input("x", {"batch", length, "4"})
      .Weight("w", {4, 5}, 0.5F)
      .Node("Transpose", {"x"}, {"turned"})
      .Ints("perm", {1, 0, 2})
      .Node("MatMul", {"turned", "w"}, {"y"})
      .Output("y");
  return model;
}

TEST_CASE("an output with the sequence before the batch is refused, whatever its length") {
  for (const char* const length : {"1", "3", "5", "6", "15"}) {
    for (const char* const loss : {"", "mse"}) {
      CAPTURE(length, loss);
      const auto layout = LayoutOfFile(SequenceFirst(length), loss);
      REQUIRE(absl::IsInvalidArgument(layout.status()));
      CHECK_THAT(std::string(layout.status().message()),
                 Catch::Contains(std::string("the model's output is [") + length +
                                 ", 3, 5] for a batch of 3 and [" + length + ", 5, 5]"));
    }
  }
}

TEST_CASE("rows are flattened into the batch only where nothing but the classes follows") {
  onnx::ModelBuilder model;
  model.Input("x", {"batch", "6", "4"})
      .Integers("shape", {-1, 2, 4})
      .Node("Reshape", {"x", "shape"}, {"y"})
      .Output("y");
  CHECK_THAT(std::string(LayoutOfFile(model).status().message()),
             Catch::Contains("the model's output is [9, 2, 4] for a batch of 3 and [15, 2, 4]"));
}

TEST_CASE("a table limits its indices whatever shape they take, and along any axis") {
  onnx::ModelBuilder model;
  model.Input("ids", {"batch", "2"}, ringmaster::onnx::TensorProto::INT64)
      .Weight("table", {2, 7}, 0.5F)
      .Integers("flat", {-1})
      .Integers("whole", {-1, 2, 2})
      .Integers("axes", {2})
      .Node("Identity", {"ids"}, {"same"})
      .Node("Unsqueeze", {"same", "axes"}, {"column"})
      .Node("Squeeze", {"column", "axes"}, {"back"})
      .Node("Flatten", {"back"}, {"matrix"})
      .Node("Reshape", {"matrix", "flat"}, {"list"})
      .Node("Transpose", {"list"}, {"turned"})
      .Node("Gather", {"table", "turned"}, {"columns"})
      .Int("axis", -1)
      .Node("Transpose", {"columns"}, {"rows"})
      .Node("Reshape", {"rows", "whole"}, {"y"})
      .Output("y");
  const auto layout = LayoutOfFile(model);
  INFO(layout.status());
  REQUIRE(layout.ok());
  CHECK(layout->inputs[0].limit == 7);
}

TEST_CASE("what no data can fill, and what no loss can be computed of, is refused by name") {
  onnx::ModelBuilder fixed = onnx::LinearModel();
  fixed.Input("scale", {"3"}).Node("Mul", {"logits", "scale"}, {"scaled"});
  fixed.mutable_proto().mutable_graph()->mutable_output(0)->set_name("scaled");
  CHECK_THAT(std::string(LayoutOfFile(fixed).status().message()),
             Catch::Contains("the model's input 'scale' is [3] for every batch"));
  onnx::ModelBuilder flat = onnx::LinearModel();
  flat.Integers("axes", {1}).Node("ReduceSum", {"logits", "axes"}, {"sum"}).Int("keepdims", 0);
  flat.mutable_proto().mutable_graph()->mutable_output(0)->set_name("sum");
  CHECK_THAT(std::string(LayoutOfFile(flat).status().message()),
             Catch::Contains("softmax_cross_entropy needs float32 [batch, …, classes]"));
  CHECK(LayoutOfFile(flat, "mse").ok());
}

TEST_CASE("operators that are not known are named all at once") {
  onnx::ModelBuilder model = onnx::LinearModel();
  model.Node("Frobnicate", {"logits"}, {"a"}).Node("Twist", {"a"}, {"b"});
  model.mutable_proto().mutable_graph()->mutable_output(0)->set_name("b");
  const std::string message(LayoutOfFile(model).status().message());
  CHECK_THAT(message, Catch::Contains("Frobnicate"));
  CHECK_THAT(message, Catch::Contains("Twist"));
}

}  // namespace
}  // namespace rm::model
