#include "runtime/graph/fusion_products.h"

#include <catch2/catch.hpp>

#include "runtime/graph/graph_testing.h"
#include "runtime/graph/prune.h"

namespace rm::graph {
namespace {

using kernels::DType;

// The graph after both rewrites and removal of dead nodes.
Graph Fused(const Graph& graph) {
  TypedGraph typed = Typed(graph);
  FuseTransposesIntoProducts(&typed);
  FuseScalarsIntoProducts(&typed);
  EliminateDeadNodes(&typed.graph);
  return typed.graph;
}

// The forward nodes of what `build` makes of two stacks (2, 3, 4).
std::string FusedNodes(ValueId (*build)(ValueId a, ValueId b, Graph* graph)) {
  Graph graph;
  const ValueId a = graph.AddInput("a", DType::kFloat32, {2, 3, 4});
  const ValueId b = graph.AddInput("b", DType::kFloat32, {2, 3, 4});
  graph.MarkOutput("output", build(a, b, &graph));
  return Nodes(Fused(graph));
}

ValueId Swapped(const char* name, ValueId x, Graph* g) {
  return g->AddNode("Transpose", name, {x}, {{"perm", Ints{0, 2, 1}}});
}

TEST_CASE("a product reads through a transpose of the last two dimensions", "[fusion]") {
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          return g->AddNode("MatMul", "y", {a, Swapped("t", b, g)});
        }) == "y = MatMul(a, b) {transB = 1}\n");
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          return g->AddNode("MatMul", "y", {Swapped("t", a, g), b});
        }) == "y = MatMul(a, b) {transA = 1}\n");
}

TEST_CASE("two transposes are none", "[fusion]") {
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          return g->AddNode("MatMul", "y", {Swapped("t", a, g), Swapped("u", b, g)},
                            {{"transA", int64_t{1}}});
        }) == "y = MatMul(a, b) {transB = 1}\n");
}

TEST_CASE("a transposed product is the product of its operands in reverse", "[fusion]") {
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          const ValueId y = g->AddNode("MatMul", "y", {a, b}, {{"transB", int64_t{1}}});
          return Swapped("t", y, g);
        }) == "t = MatMul(b, a) {transB = 1}\n");
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          const ValueId y = g->AddNode("MatMul", "y", {a, b}, {{"transA", int64_t{1}}});
          return Swapped("t", y, g);
        }) == "t = MatMul(b, a) {transA = 1}\n");
}

TEST_CASE("a transpose of other dimensions stays", "[fusion]") {
  CHECK(FusedNodes([](ValueId /*a*/, ValueId b, Graph* g) {
          const ValueId t = g->AddNode("Transpose", "t", {b}, {{"perm", Ints{2, 1, 0}}});
          return g->AddNode("MatMul", "y", {t, g->AddParameter("w", {2, 5}, {})});
        }) ==
        "t = Transpose(b) {perm = [2, 1, 0]}\n"
        "y = MatMul(t, w)\n");
}

TEST_CASE("a constant factor behind a product is its alpha", "[fusion]") {
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          const ValueId y = g->AddNode("MatMul", "y", {a, b}, {{"transB", int64_t{1}}});
          return g->AddNode("Mul", "z", {g->AddConstant("c", {}, {0.5F}), y});
        }) == "z = MatMul(a, b) {alpha = 0.5, transB = 1}\n");
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          const ValueId y = g->AddNode("MatMul", "y", {a, b}, {{"transB", int64_t{1}}});
          return g->AddNode("Div", "z", {y, g->AddConstant("c", {1}, {4})});
        }) == "z = MatMul(a, b) {alpha = 0.25, transB = 1}\n");
}

TEST_CASE("a constant factor of an operand is alpha for every product that reads it", "[fusion]") {
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          const ValueId s = g->AddNode("Mul", "s", {a, g->AddConstant("c", {}, {0.5F})});
          const ValueId y = g->AddNode("MatMul", "y", {s, b}, {{"transB", int64_t{1}}});
          const ValueId z = g->AddNode("MatMul", "z", {b, s}, {{"transB", int64_t{1}}});
          return g->AddNode("Add", "sum", {y, z});
        }) == "y = MatMul(a, b) {alpha = 0.5, transB = 1}\n"
              "z = MatMul(b, a) {alpha = 0.5, transB = 1}\n"
              "sum = Add(y, z)\n");
}

TEST_CASE("a factor stays where the scaled value is read by others, or is no constant",
          "[fusion]") {
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          const ValueId s = g->AddNode("Mul", "s", {a, g->AddConstant("c", {}, {0.5F})});
          const ValueId y = g->AddNode("MatMul", "y", {s, b}, {{"transB", int64_t{1}}});
          return g->AddNode("MatMul", "z", {y, g->AddNode("Add", "sum", {s, a})});
        }).find("s = Mul(a, c)") != std::string::npos);
  CHECK(FusedNodes([](ValueId a, ValueId b, Graph* g) {
          const ValueId y = g->AddNode("MatMul", "y", {a, b}, {{"transB", int64_t{1}}});
          return g->AddNode("Mul", "z", {y, g->AddParameter("p", {1}, {})});
        }).find("z = Mul(y, p)") != std::string::npos);
}

TEST_CASE("the backward pass of attention has no transposes left", "[fusion]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {2, 3, 4});
  const ValueId q = graph.AddNode("MatMul", "q", {x, graph.AddParameter("wq", {4, 4}, {})});
  const ValueId k = graph.AddNode("MatMul", "k", {x, graph.AddParameter("wk", {4, 4}, {})});
  const ValueId scores = graph.AddNode("MatMul", "scores", {q, Swapped("kT", k, &graph)});
  const ValueId scaled =
      graph.AddNode("Mul", "scaled", {scores, graph.AddConstant("c", {}, {0.5F})});
  graph.MarkOutput(kModelOutput, graph.AddNode("Flatten", "flat", {scaled}));
  const std::string nodes = Nodes(Fused(ForTraining(graph)));
  CHECK(nodes.find("Transpose") == std::string::npos);
  CHECK(nodes.find(" = Mul(") == std::string::npos);
}

}  // namespace
}  // namespace rm::graph
