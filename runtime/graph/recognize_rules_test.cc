#include "runtime/graph/recognize_rules.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/graph/graph_testing.h"

namespace rm::graph {
namespace {

TEST_CASE("a constant of one element is a number, whatever its dimensions", "[recognize]") {
  Graph graph;
  CHECK(NumberOf(graph, graph.AddConstant("a", {}, {0.5F})) == 0.5F);
  CHECK(NumberOf(graph, graph.AddConstant("b", {1, 1}, {2.0F})) == 2.0F);
  CHECK(std::isnan(NumberOf(graph, graph.AddConstant("c", {2}, {1, 1}))));
  CHECK(std::isnan(NumberOf(graph, graph.AddParameter("p", {}, {}))));
  CHECK(std::isnan(
      NumberOf(graph, graph.AddIntegerConstant("i", kernels::DType::kInt64, {}, {3}))));
  CHECK(std::isnan(NumberOf(graph, kNoValue)));
}

TEST_CASE("appended nodes are moved to where they are read", "[recognize]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {2});
  graph.AddNode("Relu", "a", {x});
  graph.AddNode("Relu", "b", {x});
  graph.AddNode("Relu", "c", {x});
  graph.AddNode("Relu", "d", {x});
  MoveLastNodes(2, 1, &graph);
  CHECK(Nodes(graph) == "a = Relu(x)\nc = Relu(x)\nd = Relu(x)\nb = Relu(x)\n");
  MoveLastNodes(0, 4, &graph);
  CHECK(graph.nodes().back().name == "b");
}

}  // namespace
}  // namespace rm::graph
