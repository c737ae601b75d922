#include <catch2/catch.hpp>
#include <string>

#include "runtime/graph/graph_testing.h"
#include "runtime/graph/recognize_rules.h"

namespace rm::graph {
namespace {

// The nodes after the rule, of a product of q (2, 4, 3, 5) and what `build` makes of k (2, 3, 4, 5):
// (batch, position, head, width).
std::string Turned(ValueId (*build)(ValueId q, ValueId k, Graph* graph)) {
  Graph graph;
  const ValueId q = graph.AddInput("q", kernels::DType::kFloat32, {2, 4, 3, 5});
  const ValueId k = graph.AddInput("k", kernels::DType::kFloat32, {2, 3, 4, 5});
  graph.MarkOutput("output", build(q, k, &graph));
  TypedGraph typed = Typed(graph);
  TurnTransposes(&typed);
  // What the rule has made still fits together.
  CHECK(InferTypes(typed.graph, 1).status() == absl::OkStatus());
  return Nodes(typed.graph);
}

ValueId Transposed(ValueId x, Ints perm, Graph* g) {
  return g->AddNode("Transpose", "t", {x}, {{"perm", std::move(perm)}});
}

TEST_CASE("a transpose leaves rows whole, and the product turns them", "[recognize]") {
  CHECK(Turned([](ValueId q, ValueId k, Graph* g) {
          return g->AddNode("MatMul", "s", {q, Transposed(k, {0, 2, 3, 1}, g)});
        }) ==
        "t = Transpose(k) {perm = [0, 2, 1, 3]}\n"
        "s = MatMul(q, t) {transB = 1}\n");
}

TEST_CASE("it may be the left operand, and may be turned already", "[recognize]") {
  CHECK(Turned([](ValueId q, ValueId k, Graph* g) {
          return g->AddNode("MatMul", "s", {Transposed(k, {0, 2, 3, 1}, g), q},
                            {{"transA", int64_t{1}}, {"transB", int64_t{1}}});
        }) ==
        "t = Transpose(k) {perm = [0, 2, 1, 3]}\n"
        "s = MatMul(t, q) {transB = 1}\n");
}

TEST_CASE("a transpose that keeps rows, or that others read, stays", "[recognize]") {
  CHECK(Turned([](ValueId q, ValueId k, Graph* g) {
          return g->AddNode("MatMul", "s", {q, Transposed(k, {0, 2, 1, 3}, g)},
                            {{"transB", int64_t{1}}});
        }).find("perm = [0, 2, 1, 3]") != std::string::npos);
  const std::string nodes = Turned([](ValueId q, ValueId k, Graph* g) {
    const ValueId t = Transposed(k, {0, 2, 3, 1}, g);
    g->MarkOutput("keys", t);
    return g->AddNode("MatMul", "s", {q, t});
  });
  CHECK(nodes ==
        "t = Transpose(k) {perm = [0, 2, 3, 1]}\n"
        "s = MatMul(q, t)\n");
}

}  // namespace
}  // namespace rm::graph
