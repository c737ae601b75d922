#include "runtime/onnx/export.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/graph/bind.h"
#include "runtime/graph/debug_string.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/testing.h"

namespace rm::onnx {
namespace {

using graph::DebugString;
using graph::Graph;
using graph::ValueId;
using ringmaster::onnx::ModelProto;
using ringmaster::onnx::TensorProto;

Graph Imported(const ModelProto& model) {
  absl::StatusOr<ImportedModel> imported = ImportModel(model, {});
  REQUIRE(imported.status() == absl::OkStatus());
  return std::move(imported->graph);
}

std::vector<float> ValuesOf(const Graph& graph, const std::string& name) {
  return *graph.value(graph.FindValue(name)).initializer.values;
}

TEST_CASE("new weights go into the file's own graph", "[onnx]") {
  ModelProto original = LinearModel().proto();
  original.set_producer_name("pytorch");
  const std::vector<float> weight = {12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
  const std::vector<float> bias = {1, 2, 3};
  const auto exported = WithWeights(original, {}, {{"fc.weight", weight}, {"fc.bias", bias}});
  REQUIRE(exported.status() == absl::OkStatus());
  CHECK(exported->producer_name() == "pytorch");
  CHECK(exported->graph().node_size() == 1);
  const Graph graph = Imported(*exported);
  CHECK(DebugString(graph) == DebugString(Imported(original)));
  CHECK(ValuesOf(graph, "fc.weight") == weight);
  CHECK(ValuesOf(graph, "fc.bias") == bias);
}

TEST_CASE("aliases become initializers of their own", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "2"}).Weights("a", {2}, {1, 2});
  model.Node("Identity", {"a"}, {"b"})
      .Node("Identity", {"b"}, {"c"})
      .Node("Add", {"x", "a"}, {"p"})
      .Node("Add", {"p", "b"}, {"q"})
      .Node("Add", {"q", "c"}, {"y"})
      .Output("y");
  const std::vector<float> a = {7, 8};
  const std::vector<float> b = {9, 9};
  const auto exported = WithWeights(model.proto(), {}, {{"a", a}, {"b", b}});
  REQUIRE(exported.status() == absl::OkStatus());
  CHECK(exported->graph().node_size() == 3);
  const Graph graph = Imported(*exported);
  CHECK(ValuesOf(graph, "a") == a);
  CHECK(ValuesOf(graph, "b") == b);
  CHECK(ValuesOf(graph, "c") == std::vector<float>{1, 2});  // as it was, not as what it copied
}

TEST_CASE("weights keep the file's element type", "[onnx]") {
  const std::vector<float> bias = {1.5F, -2, 0.25F};
  for (const int type : {TensorProto::FLOAT16, TensorProto::BFLOAT16, TensorProto::DOUBLE}) {
    CAPTURE(type);
    ModelBuilder model = LinearModel();
    auto* tensor = model.mutable_proto().mutable_graph()->mutable_initializer(1);
    tensor->clear_float_data();
    tensor->set_data_type(type);
    tensor->set_data_location(TensorProto::EXTERNAL);  // what was there is not even looked at
    const auto exported = WithWeights(model.proto(), {}, {{"fc.bias", bias}});
    REQUIRE(exported.status() == absl::OkStatus());
    CHECK(exported->graph().initializer(1).data_type() == type);
    CHECK(ValuesOf(Imported(*exported), "fc.bias") == bias);
  }
}

TEST_CASE("an export in training goes out as the model in use", "[onnx]") {
  ModelBuilder model;
  model.Input("x", {"batch", "3", "4", "4"}).Weight("one", {3}, 1).Weight("zero", {3}, 0);
  model.Initializer("yes", {}, TensorProto::BOOL)->add_int32_data(1);
  model.Weights("half", {}, {0.5F});
  model.Node("BatchNormalization", {"x", "one", "zero", "zero", "one"}, {"n", "mean", "variance"})
      .Int("training_mode", 1)
      .Node("Dropout", {"n", "half", "yes"}, {"y", "mask"})
      .Output("y");
  const auto exported = WithWeights(model.proto(), {}, {});
  REQUIRE(exported.status() == absl::OkStatus());
  const auto& norm = exported->graph().node(0);
  CHECK(norm.attribute(0).i() == 0);
  CHECK(norm.output_size() == 1);
  const auto& dropout = exported->graph().node(1);
  CHECK(dropout.input_size() == 2);
  CHECK(dropout.output_size() == 2);

  model.Output("mean");  // somebody wants it: then it stays
  CHECK(WithWeights(model.proto(), {}, {})->graph().node(0).output_size() == 2);
}

TEST_CASE("weights that do not fit are refused by name", "[onnx]") {
  const std::vector<float> four = {1, 2, 3, 4};
  CHECK(WithWeights(LinearModel().proto(), {}, {{"fc.bias", four}}).status().message() ==
        "'fc.bias' has 3 elements in the model, not 4");
  CHECK(WithWeights(LinearModel().proto(), {}, {{"fc.base", four}}).status().message() ==
        "the model has no initializer 'fc.base'");
}

// An image classifier in canonical form, with every kind of leaf.
Graph Classifier() {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {graph::kBatch, 2, 4, 4});
  const ValueId w = graph.AddParameter("w", {3, 2, 3, 3}, {});
  const ValueId fc = graph.AddParameter("fc", {12, 5}, {});
  const ValueId shift = graph.AddConstant("shift", {5}, {1, 2, 3, 4, 5});
  const ValueId conv = graph.AddNode("Conv", "conv", {x, w});
  const ValueId flat =
      graph.AddNode("Reshape", "flat", {conv}, {{"shape", std::vector<int64_t>{0, 12}}});
  const ValueId scores = graph.AddNode("MatMul", "scores", {flat, fc});
  graph.MarkOutput("output", graph.AddNode("Add", "shifted", {scores, shift}));
  return graph;
}

Weights ZerosFor(const Graph& graph, const std::vector<float>& zeros) {
  Weights weights;
  for (const ValueId id : graph.parameters()) {
    const auto elements = static_cast<size_t>(kernels::ElementCount(graph.value(id).shape));
    weights[graph.value(id).name] = absl::MakeConstSpan(zeros).subspan(0, elements);
  }
  return weights;
}

TEST_CASE("a graph of ours is written as a model and read again", "[onnx]") {
  const std::vector<float> zeros(1000, 0);
  const Graph graph = Classifier();
  const auto exported = ExportGraph(graph, ZerosFor(graph, zeros));
  REQUIRE(exported.status() == absl::OkStatus());
  CHECK(exported->opset_import(0).version() == kExportOpset);
  const auto& input = exported->graph().input(0).type().tensor_type().shape();
  CHECK(input.dim(0).dim_param() == "batch");
  CHECK(input.dim(1).dim_value() == 2);
  const auto& output = exported->graph().output(0).type().tensor_type().shape();
  CHECK(output.dim(0).dim_param() == "batch");
  CHECK(output.dim(1).dim_value() == 5);

  const auto bound = graph::BindBatch(Imported(*exported), 4);
  REQUIRE(bound.status() == absl::OkStatus());
  const auto wanted = graph::BindBatch(graph, 4);
  REQUIRE(wanted.status() == absl::OkStatus());
  REQUIRE(bound->nodes().size() == wanted->nodes().size());
  for (size_t i = 0; i < wanted->nodes().size(); ++i) {
    CHECK(bound->nodes()[i].op == wanted->nodes()[i].op);
    CHECK(bound->nodes()[i].name == wanted->nodes()[i].name);
    CHECK(bound->nodes()[i].attributes == wanted->nodes()[i].attributes);
  }
  CHECK(bound->parameters().size() == 3);  // a file does not say that the shift is a constant
}

// The operators of a model's nodes, in order.
std::vector<std::string> OperatorsOf(const ModelProto& model) {
  std::vector<std::string> operators;
  for (const auto& node : model.graph().node()) operators.push_back(node.op_type());
  return operators;
}

TEST_CASE("a product that turns an operand and scales is written in three operators", "[onnx]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {graph::kBatch, 3, 4});
  const ValueId y = graph.AddInput("y", kernels::DType::kFloat32, {graph::kBatch, 3, 4});
  const int64_t yes = 1;
  const ValueId scores =
      graph.AddNode("MatMul", "scores", {x, y}, {{"transB", yes}, {"alpha", 0.5F}});
  graph.MarkOutput("output", graph.AddNode("MatMul", "mixed", {scores, scores}, {{"transA", yes}}));
  const auto exported = ExportGraph(graph, {});
  REQUIRE(exported.status() == absl::OkStatus());
  CHECK(OperatorsOf(*exported) == std::vector<std::string>{"Transpose", "MatMul", "Mul", "Transpose",
                                                           "MatMul", "Identity"});
  const auto& nodes = exported->graph().node();
  CHECK(nodes[0].input(0) == "y");
  CHECK(nodes[0].attribute(0).ints(1) == 2);
  CHECK(nodes[0].attribute(0).ints(2) == 1);
  CHECK(nodes[1].input(1) == nodes[0].output(0));
  CHECK(nodes[2].input(0) == nodes[1].output(0));
  CHECK(nodes[2].output(0) == "scores");
  CHECK(nodes[4].input(0) == nodes[3].output(0));  // turned on the left this time
  CHECK(nodes[4].input(1) == "scores");
  const auto& output = exported->graph().output(0).type().tensor_type().shape();
  CHECK(output.dim(1).dim_value() == 3);
}

TEST_CASE("what has no form in ONNX is refused by node", "[onnx]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {graph::kBatch, 4});
  const ValueId y = graph.AddNode("Relu", "relu", {x});
  graph.MarkOutput("output", graph.AddNode("ReluGrad", "slope", {x, y}));
  CHECK(ExportGraph(graph, {}).status().message() ==
        "node 'slope' (ReluGrad) has no form in ONNX");
  CHECK(ExportGraph(Classifier(), {}).status().message() == "there are no weights for 'w'");
}

}  // namespace
}  // namespace rm::onnx
