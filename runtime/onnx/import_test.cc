#include "runtime/onnx/import.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "base/memory_file_system.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/debug_string.h"
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/testing.h"

namespace rm::onnx {
namespace {

using graph::DebugString;
using ringmaster::onnx::TensorProto;

ImportedModel Imported(const ModelBuilder& model) {
  absl::StatusOr<ImportedModel> imported = ImportModel(model.proto(), {});
  REQUIRE(imported.status() == absl::OkStatus());
  return *std::move(imported);
}

std::string Refusal(const ModelBuilder& model) {
  return std::string(ImportModel(model.proto(), {}).status().message());
}

TEST_CASE("a linear layer is imported with its weights under their names", "[onnx]") {
  const ImportedModel model = Imported(LinearModel());
  CHECK(DebugString(model.graph) ==
        "input x: [batch, 4]\nparameter fc.weight: [3, 4]\nparameter fc.bias: [3]\n"
        "logits = Gemm(x, fc.weight, fc.bias) {transB = 1}\n"
        "output logits = logits\noutput output = logits\n");
  CHECK(model.inputs == std::vector<std::string>{"x"});
  CHECK(model.outputs == std::vector<std::string>{"logits"});
  CHECK(model.warnings.empty());
  const graph::Value& bias = model.graph.value(model.graph.FindValue("fc.bias"));
  CHECK(*bias.initializer.values == std::vector<float>{0.5F, -0.5F, 0});
}

TEST_CASE("a file is imported by its path, and errors name it", "[onnx]") {
  base::MemoryFileSystem files;
  REQUIRE(files.MakeFolders("/m") == absl::OkStatus());
  REQUIRE(WriteModel(LinearModel().proto(), "/m/a.onnx", files) == absl::OkStatus());
  CHECK(ImportModel(files, "/m/a.onnx").status() == absl::OkStatus());

  ModelBuilder bad = LinearModel();
  bad.mutable_proto().mutable_graph()->mutable_initializer(1)->set_dims(0, 4);
  REQUIRE(WriteModel(bad.proto(), "/m/a.onnx", files) == absl::OkStatus());
  CHECK(ImportModel(files, "/m/a.onnx").status() ==
        absl::InvalidArgumentError("/m/a.onnx: initializer 'fc.bias': it has 3 elements, FLOAT [4] "
                                   "asks for 4"));
}

TEST_CASE("opsets from 13 to 23 are known", "[onnx]") {
  for (const int64_t opset : {12, 13, 17, 23, 24}) {
    CAPTURE(opset);
    ModelBuilder model = LinearModel();
    model.mutable_proto().mutable_opset_import(0)->set_version(opset);
    CHECK(ImportModel(model.proto(), {}).ok() == (opset >= 13 && opset <= 23));
  }
  ModelBuilder none = LinearModel();
  none.mutable_proto().clear_opset_import();
  CHECK(Refusal(none) == "the model does not say its opset");
}

TEST_CASE("an Identity of an initializer is a parameter of its own, a tied weight is one", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "2"}).Weights("a.weight", {2, 2}, {1, 2, 3, 4});
  model.Node("Identity", {"a.weight"}, {"b.weight"})
      .Node("MatMul", {"x", "a.weight"}, {"h"})
      .Node("MatMul", {"h", "b.weight"}, {"g"})
      .Node("MatMul", {"g", "a.weight"}, {"y"})
      .Output("y");
  const ImportedModel imported = Imported(model);
  CHECK(imported.graph.parameters().size() == 2);
  const graph::Value& a = imported.graph.value(imported.graph.FindValue("a.weight"));
  const graph::Value& b = imported.graph.value(imported.graph.FindValue("b.weight"));
  CHECK(b.kind == graph::ValueKind::kParameter);
  CHECK(b.initializer.values == a.initializer.values);
  REQUIRE(imported.graph.nodes().size() == 3);
  CHECK(imported.graph.nodes()[2].inputs[1] == imported.graph.FindValue("a.weight"));
}

TEST_CASE("running statistics are buffers, under their own names too", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "2", "4", "4"}).Weight("scale", {2}, 1).Weight("mean", {2}, 0);
  model.Node("Identity", {"scale"}, {"var"})
      .Node("BatchNormalization", {"x", "scale", "mean", "mean", "var"}, {"y"})
      .Output("y");
  const graph::Graph graph = Imported(model).graph;
  CHECK(graph.value(graph.FindValue("scale")).kind == graph::ValueKind::kParameter);
  CHECK(graph.value(graph.FindValue("mean")).kind == graph::ValueKind::kBuffer);
  CHECK(graph.value(graph.FindValue("var")).kind == graph::ValueKind::kBuffer);
}

TEST_CASE("the first dimension is the batch where it is open, or shared by all inputs", "[onnx]") {
  const auto first = [](const std::vector<std::vector<std::string>>& inputs) {
    ModelBuilder model;
    std::vector<int64_t> dimensions;
    for (size_t i = 0; i < inputs.size(); ++i) {
      model.Input(std::string(1, static_cast<char>('a' + i)), inputs[i]);
    }
    const ImportedModel imported = Imported(model.Node("Relu", {"a"}, {"y"}).Output("y"));
    for (graph::ValueId id : imported.graph.inputs()) {
      const kernels::Shape& shape = imported.graph.value(id).shape;
      dimensions.push_back(shape.empty() ? -9 : shape[0]);
    }
    return dimensions;
  };
  using Dims = std::vector<int64_t>;
  CHECK(first({{"n", "4"}}) == Dims{graph::kBatch});
  CHECK(first({{"", "4"}}) == Dims{graph::kBatch});
  CHECK(first({{"8", "4"}, {"8"}}) == Dims{graph::kBatch, graph::kBatch});
  CHECK(first({{"8", "4"}, {"7"}}) == Dims{8, 7});
  CHECK(first({{"n", "4"}, {"7"}}) == Dims{graph::kBatch, 7});
  CHECK(first({{"n", "4"}, {}}) == Dims{graph::kBatch, -9});
}

TEST_CASE("another open dimension is refused with what to do", "[onnx]") {
  ModelBuilder model;
  model.Input("tokens", {"batch", "seq"}, TensorProto::INT64);
  CHECK(Refusal(model.Node("Identity", {"tokens"}, {"y"}).Output("y")) ==
        "input 'tokens': dimension 1 is symbolic ('seq'); only the first one, the batch, may be "
        "open: export with a fixed size (leave it out of dynamic_shapes or dynamic_axes)");
}

TEST_CASE("inputs that cannot be are refused by name", "[onnx]") {
  ModelBuilder negative;
  CHECK(absl::EndsWith(Refusal(negative.Input("x", {"n", "-4"})), "input 'x': dimension 1 is -4"));
  ModelBuilder text;
  CHECK(Refusal(text.Input("x", {"n"}, TensorProto::STRING)) ==
        "input 'x': it is STRING, which is not known");
  ModelBuilder twice;
  CHECK(Refusal(twice.Input("x", {"n"}).Input("x", {"n"})) ==
        "input 'x' is there twice, or has no name");
}

TEST_CASE("inputs that list initializers are no inputs", "[onnx]") {
  ModelBuilder model = LinearModel();
  model.Input("fc.bias", {"3"});
  CHECK(Imported(model).inputs == std::vector<std::string>{"x"});
}

TEST_CASE("Constant becomes a leaf, ConstantOfShape an Expand", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "3"});
  model.Node("Constant", {}, {"shape"}).Ints("value_ints", {2, 3});
  model.Node("ConstantOfShape", {"shape"}, {"ones"});
  auto* value = model.Attribute("value")->mutable_t();
  value->set_data_type(TensorProto::INT64);
  value->add_dims(1);
  value->add_int64_data(1);
  model.Node("ConstantOfShape", {"shape"}, {"zeros"}).Output("ones").Output("zeros");
  const ImportedModel imported = Imported(model);
  CHECK(DebugString(imported.graph) ==
        "input x: [batch, 3]\nconstant shape: int64 [2]\nconstant ones/value: int64 []\n"
        "constant zeros/value: []\nones = Expand(ones/value, shape)\n"
        "zeros = Expand(zeros/value, shape)\noutput ones = ones\noutput output = ones\n"
        "output zeros = zeros\n");
}

TEST_CASE("a cast names our types, those of floats are one", "[onnx]") {
  const auto target = [](int64_t to) {
    ModelBuilder model;
    model.Input("x", {"batch"}).Node("Cast", {"x"}, {"y"}).Int("to", to).Output("y");
    return Imported(model).graph.nodes()[0].attributes.String("to", "");
  };
  CHECK(target(TensorProto::FLOAT) == "float32");
  CHECK(target(TensorProto::FLOAT16) == "float32");
  CHECK(target(TensorProto::DOUBLE) == "float32");
  CHECK(target(TensorProto::INT64) == "int64");
  CHECK(target(TensorProto::BOOL) == "bool");
  for (const int64_t to : {int64_t{TensorProto::STRING}, int64_t{TensorProto::INT8}, int64_t{-1},
                           (int64_t{1} << 32) + 1}) {
    ModelBuilder model;
    model.Input("x", {"batch"}).Node("Cast", {"x"}, {"y"}).Int("to", to).Output("y");
    CAPTURE(to);
    CHECK(absl::StartsWith(Refusal(model), "node 'y' (Cast): attribute to asks for "));
  }
}

TEST_CASE("names that would collide are told apart", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "4"}).Weights("part:1", {4}, {1, 2, 3, 4});
  model.Node("Split", {"x"}, {"part", "rest"}).Node("Add", {"x", "part:1"}, {"x2"});
  auto* nodes = model.mutable_proto().mutable_graph()->mutable_node();
  nodes->Mutable(0)->set_name("part");
  nodes->Mutable(1)->set_name("x");
  const ImportedModel imported = Imported(model.Output("rest").Output("x2"));
  CHECK(imported.graph.nodes()[0].name == "part#2");
  CHECK(imported.graph.nodes()[1].name == "x#2");
}

TEST_CASE("operators of other domains are named with it", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch"}).Node("Magic", {"x"}, {"y"}).Output("y");
  model.mutable_proto().mutable_graph()->mutable_node(0)->set_domain("com.acme");
  CHECK(graph::CheckOperators(Imported(model).graph).message() ==
        "operators that are not known: com.acme::Magic (node 'y')");
}

TEST_CASE("damaged graphs are refused with what is wrong", "[onnx]") {
  ModelBuilder twice = LinearModel();
  CHECK(Refusal(twice.Weight("fc.bias", {3}, 0)) == "initializer 'fc.bias' is there twice");
  ModelBuilder circle;
  circle.Node("Relu", {"b"}, {"a"}).Node("Relu", {"a"}, {"b"}).Output("a");
  CHECK(absl::StartsWith(Refusal(circle), "the graph has a circle"));
  ModelBuilder missing = LinearModel();
  CHECK(Refusal(missing.Output("nothing")) == "output 'nothing' is computed by no node");
  ModelBuilder silent;
  CHECK(Refusal(silent.Input("x", {"n"})) == "the model has no outputs");
  ModelBuilder empty;
  CHECK(absl::StartsWith(Refusal(empty.Node("Constant", {}, {"c"}).Output("c")),
                         "node 'c' (Constant): "));
}

}  // namespace
}  // namespace rm::onnx
