#include <catch2/catch.hpp>
#include <string>

#include "runtime/graph/graph_testing.h"
#include "runtime/graph/recognize.h"
#include "runtime/graph/recognize_rules.h"

namespace rm::graph {
namespace {

using kernels::DType;

// The nodes that recognition leaves of what `build` makes of x, of the given shape.
std::string Recognized(const kernels::Shape& shape, ValueId (*build)(ValueId x, Graph* graph)) {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, shape);
  graph.MarkOutput("output", build(x, &graph));
  REQUIRE(Recognize(&graph) == absl::OkStatus());
  return Nodes(graph);
}

ValueId Product(ValueId x, Graph* g) {
  return g->AddNode("MatMul", "m", {x, g->AddParameter("w", {4, 5}, {})});
}

TEST_CASE("a product with a bias is a layer over rows", "[recognize]") {
  CHECK(Recognized({2, 3, 4},
                   [](ValueId x, Graph* g) {
                     return g->AddNode("Add", "y", {g->AddParameter("b", {5}, {}), Product(x, g)});
                   }) ==
        "m/rows = Reshape(x) {shape = [-1, 4]}\n"
        "m/layer = Gemm(m/rows, w, b)\n"
        "y = Reshape(m/layer) {shape = [2, 3, 5]}\n");
}

TEST_CASE("a product of matrices needs no views", "[recognize]") {
  CHECK(Recognized({2, 4}, [](ValueId x, Graph* g) {
          return g->AddNode("Add", "y", {Product(x, g), g->AddParameter("b", {5}, {})});
        }) == "y = Gemm(x, w, b)\n");
}

TEST_CASE("attributes of the product stay", "[recognize]") {
  CHECK(Recognized({2, 4}, [](ValueId x, Graph* g) {
          const ValueId m = g->AddNode("MatMul", "m", {x, g->AddParameter("w", {5, 4}, {})},
                                       {{"alpha", 0.5F}, {"transB", int64_t{1}}});
          return g->AddNode("Add", "y", {m, g->AddParameter("b", {5}, {})});
        }) == "y = Gemm(x, w, b) {alpha = 0.5, transB = 1}\n");
}

TEST_CASE("two layers in a row are two layers", "[recognize]") {
  CHECK(Recognized({2, 3, 4}, [](ValueId x, Graph* g) {
          const ValueId y = g->AddNode("Add", "y", {Product(x, g), g->AddParameter("b", {5}, {})});
          const ValueId n = g->AddNode("MatMul", "n", {y, g->AddParameter("v", {5, 6}, {})});
          return g->AddNode("Add", "z", {n, g->AddParameter("c", {6}, {})});
        }) ==
        "m/rows = Reshape(x) {shape = [-1, 4]}\n"
        "m/layer = Gemm(m/rows, w, b)\n"
        "y = Reshape(m/layer) {shape = [2, 3, 5]}\n"
        "n/rows = Reshape(y) {shape = [-1, 5]}\n"
        "n/layer = Gemm(n/rows, v, c)\n"
        "z = Reshape(n/layer) {shape = [2, 3, 6]}\n");
}

TEST_CASE("a sum that is no bias stays, and so does a product that others read", "[recognize]") {
  ValueId (*const builds[])(ValueId x, Graph* g) = {
      // One number for all columns.
      [](ValueId x, Graph* g) {
        return g->AddNode("Add", "y", {Product(x, g), g->AddParameter("b", {1}, {})});
      },
      // A residual.
      [](ValueId x, Graph* g) {
        return g->AddNode("Add", "y", {Product(x, g), g->AddParameter("b", {2, 3, 5}, {})});
      },
      // The product is read twice.
      [](ValueId x, Graph* g) {
        const ValueId m = Product(x, g);
        const ValueId y = g->AddNode("Add", "y", {m, g->AddParameter("b", {5}, {})});
        return g->AddNode("Mul", "z", {m, y});
      },
      // Stacks of matrices, one a row of x.
      [](ValueId x, Graph* g) {
        const ValueId m = g->AddNode("MatMul", "m", {x, g->AddParameter("w", {2, 4, 5}, {})});
        return g->AddNode("Add", "y", {m, g->AddParameter("b", {5}, {})});
      }};
  for (const auto build : builds) {
    CHECK(Recognized({2, 3, 4}, build).find("Gemm") == std::string::npos);
  }
}

}  // namespace
}  // namespace rm::graph
