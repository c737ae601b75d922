#include "runtime/graph/graph.h"

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/graph/debug_string.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Shape;

TEST_CASE("a graph numbers its values in order of addition", "[graph]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId w = graph.AddParameter("w", {3, 4}, {});
  const ValueId y = graph.AddNode("MatMul", "y", {x, w});
  const ValueId c = graph.AddConstant("c", {2}, {1.0F, 2.0F});

  CHECK(x == 0);
  CHECK(w == 1);
  CHECK(y == 2);
  CHECK(c == 3);
  CHECK(graph.inputs() == std::vector<ValueId>{x});
  CHECK(graph.parameters() == std::vector<ValueId>{w});
  CHECK(graph.value(x).shape == Shape{kBatch, 4});
  CHECK(graph.value(x).kind == ValueKind::kInput);
  CHECK(graph.value(w).kind == ValueKind::kParameter);
  CHECK(graph.value(c).kind == ValueKind::kConstant);
  CHECK(*graph.value(c).initializer.values == std::vector<float>{1.0F, 2.0F});
  CHECK(graph.value(y).kind == ValueKind::kNode);
  CHECK(graph.value(x).shape_known);
  CHECK_FALSE(graph.value(y).shape_known);
}

TEST_CASE("a node and its first output share a name, further outputs are numbered", "[graph]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 4, 4});
  const std::vector<ValueId> outputs = graph.AddNodeWithOutputs("MaxPool", "pool", {x}, 2);
  REQUIRE(outputs.size() == 2);
  CHECK(graph.value(outputs[0]).name == "pool");
  CHECK(graph.value(outputs[1]).name == "pool:1");
  CHECK(graph.nodes()[0].name == "pool");
  CHECK_FALSE(graph.nodes()[0].backward);

  const ValueId third = graph.AddOutput(0);
  CHECK(graph.value(third).name == "pool:2");
  CHECK(graph.nodes()[0].outputs == std::vector<ValueId>{outputs[0], outputs[1], third});
}

TEST_CASE("values and outputs are found by name", "[graph]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch});
  const ValueId y = graph.AddNode("Relu", "y", {x});
  graph.MarkOutput("output", y);
  CHECK(graph.FindValue("y") == y);
  CHECK(graph.FindValue("output") == kNoValue);
  CHECK(graph.FindOutput("output") == y);
  CHECK(graph.FindOutput("y") == kNoValue);

  const ValueId z = graph.AddNode("Relu", "z", {y});
  graph.MarkOutput("output", z);
  CHECK(graph.FindOutput("output") == z);
}

TEST_CASE("a backward node takes the types of what its outputs belong to, and a free name",
          "[graph]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch});
  const std::vector<ValueId> first = graph.AddBackwardNode("Relu", "d", {x}, {x, kNoValue});
  const std::vector<ValueId> second = graph.AddBackwardNode("Relu", "d", {x}, {x});
  CHECK(graph.value(first[0]).like == x);
  CHECK(graph.value(first[1]).like == kNoValue);
  CHECK(graph.value(first[0]).name == "d");
  CHECK(graph.value(second[0]).name == "d#2");
  CHECK(graph.nodes()[1].name == "d#2");
  CHECK(graph.nodes()[1].backward);
  CHECK(graph.value(graph.AddDetachedValue("d", x)).name == "d#3");
}

TEST_CASE("constants of other dtypes hold their elements as integers", "[graph]") {
  Graph graph;
  const ValueId shape = graph.AddIntegerConstant("shape", DType::kInt64, {2}, {-1, int64_t{1} << 40});
  const ValueId mask = graph.AddIntegerConstant("mask", DType::kBool, {}, {1});
  CHECK(graph.value(shape).kind == ValueKind::kConstant);
  CHECK(graph.value(shape).dtype == DType::kInt64);
  CHECK(graph.value(shape).initializer.values == nullptr);
  CHECK(*graph.value(shape).initializer.integers == std::vector<int64_t>{-1, int64_t{1} << 40});
  CHECK(graph.value(mask).dtype == DType::kBool);
  CHECK(graph.value(mask).shape.empty());
  CHECK(graph.value(mask).shape_known);
}

TEST_CASE("copies of a graph share their values", "[graph]") {
  Graph graph;
  const ValueId w = graph.AddParameter("w", {1}, Initializer::Of({1.0F}));
  const ValueId c = graph.AddIntegerConstant("c", DType::kInt32, {1}, {7});
  const Graph copy = graph;
  CHECK(copy.value(w).initializer.values == graph.value(w).initializer.values);
  CHECK(copy.WithoutInitialValues().value(c).initializer.integers ==
        graph.value(c).initializer.integers);
}

TEST_CASE("a buffer is no parameter; what moves it is written down and printed", "[graph]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId w = graph.AddParameter("w", {4}, {});
  const ValueId mean = graph.AddBuffer("mean", {4}, {});
  const ValueId sum = graph.AddNode("ReduceSum", "sum", {x});
  CHECK(graph.value(mean).kind == ValueKind::kBuffer);
  CHECK(graph.buffers() == std::vector<ValueId>{mean});
  CHECK(graph.parameters() == std::vector<ValueId>{w});
  CHECK(graph.buffer_updates().empty());

  graph.SetBufferUpdate(mean, sum, 0.5F);
  graph.SetBufferUpdate(mean, sum, 0.25F);  // the second call counts
  REQUIRE(graph.buffer_updates().size() == 1);
  CHECK(graph.buffer_updates().at(mean).statistic == sum);
  CHECK(graph.buffer_updates().at(mean).momentum == 0.25F);
  CHECK(graph.WithoutInitialValues().buffer_updates().size() == 1);
  const std::string text = DebugString(graph);
  CHECK(absl::StrContains(text, "buffer mean: [4]\n"));
  CHECK(absl::StrContains(text, "update mean = sum · 0.25\n"));
}

TEST_CASE("a frozen parameter is a buffer that nothing moves, with the same first value", "[graph]") {
  Graph graph;
  Initializer ones;
  ones.kind = Initializer::Kind::kOne;
  const ValueId a = graph.AddParameter("a", {2}, ones);
  const ValueId b = graph.AddParameter("b", {2}, {});
  graph.Freeze(a);
  CHECK(graph.parameters() == std::vector<ValueId>{b});
  CHECK(graph.buffers() == std::vector<ValueId>{a});
  CHECK(graph.value(a).initializer.kind == Initializer::Kind::kOne);
  CHECK(graph.buffer_updates().empty());
}

TEST_CASE("a free name is free for every output of the node", "[graph]") {
  Graph graph;
  graph.AddInput("x", DType::kFloat32, {1});
  graph.AddInput("split:2", DType::kFloat32, {1});
  CHECK(graph.FreeNodeName("y", 3) == "y");
  CHECK(graph.FreeNodeName("x", 1) == "x#2");
  CHECK(graph.FreeNodeName("split", 2) == "split");
  CHECK(graph.FreeNodeName("split", 3) == "split#2");
  // An unrolled network asks for thousands of one name.
  for (int n = 2; n <= 300; ++n) {
    REQUIRE(graph.FreeNodeName("x", 1) == absl::StrCat("x#", n));
    graph.AddInput(absl::StrCat("x#", n), DType::kFloat32, {1});
  }
}

TEST_CASE("leaves of another graph keep kind, type and first value", "[graph]") {
  Graph from;
  from.AddInput("x", DType::kInt64, {kBatch, 3});
  from.AddParameter("w", {1}, Initializer::Of({1.0F}));
  from.AddIntegerConstant("c", DType::kBool, {1}, {1});
  Graph to;
  for (const Value& value : from.values()) to.AddLeaf(value);
  REQUIRE(to.values().size() == 3);
  CHECK(to.value(0).kind == ValueKind::kInput);
  CHECK(to.value(0).dtype == DType::kInt64);
  CHECK(to.value(0).shape == Shape{kBatch, 3});
  CHECK(to.parameters() == std::vector<ValueId>{1});
  CHECK(to.value(1).initializer.values == from.value(1).initializer.values);
  CHECK(to.value(2).dtype == DType::kBool);
  CHECK(to.FindValue("c") == 2);
}

TEST_CASE("a copy without initial values keeps all but the weights", "[graph]") {
  Graph graph;
  const ValueId w = graph.AddParameter("w", {2}, Initializer::Of({1.0F, 2.0F}));
  const ValueId c = graph.AddConstant("c", {1}, {3.0F});
  const ValueId y = graph.AddNode("Add", "y", {w, c});
  graph.MarkOutput("output", y);
  graph.SetGradient(w, y);

  const Graph copy = graph.WithoutInitialValues();
  CHECK(copy.value(w).initializer.values == nullptr);
  CHECK(*copy.value(c).initializer.values == std::vector<float>{3.0F});
  CHECK(copy.value(w).shape == Shape{2});
  CHECK(copy.nodes().size() == 1);
  CHECK(copy.FindOutput("output") == y);
  CHECK(copy.FindValue("w") == w);
  CHECK(copy.gradients().at(w) == y);
  CHECK(graph.value(w).initializer.values->size() == 2);
}

}  // namespace
}  // namespace rm::graph
