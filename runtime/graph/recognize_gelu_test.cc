#include <catch2/catch.hpp>
#include <string>

#include "runtime/graph/graph_testing.h"
#include "runtime/graph/prune.h"
#include "runtime/graph/recognize_rules.h"

namespace rm::graph {
namespace {

// A graph in the making: numbers are constants, nodes are named by the operator.
class Writer {
 public:
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {2, 3});

  ValueId Number(float number) {
    return graph.AddConstant(graph.FreeNodeName("c", 1), {}, {number});
  }
  ValueId Node(const char* op, std::vector<ValueId> inputs) {
    return graph.AddNode(op, graph.FreeNodeName(op, 1), std::move(inputs));
  }
  ValueId Mul(ValueId a, ValueId b) { return Node("Mul", {a, b}); }
  ValueId Add(ValueId a, ValueId b) { return Node("Add", {a, b}); }

  // The nodes that are left when `result` is what is wanted.
  std::string Left(ValueId result) {
    graph.MarkOutput("output", result);
    TypedGraph typed = Typed(graph);
    RecognizeGelu(&typed);
    EliminateDeadNodes(&typed.graph);
    return Nodes(typed.graph);
  }
};

TEST_CASE("GELU by erf is found in every order of its factors", "[recognize]") {
  SECTION("torch.onnx: x / √2 … · (1 + erf) · 0.5") {
    Writer w;
    const ValueId erf = w.Node("Erf", {w.Node("Div", {w.x, w.Number(1.41421356F)})});
    const ValueId m = w.Mul(w.x, w.Add(erf, w.Number(1)));
    CHECK(w.Left(w.Mul(m, w.Number(0.5F))) == "Mul#2 = Gelu(x)\n");
  }
  SECTION("0.5 · x first, a product by 1/√2") {
    Writer w;
    const ValueId erf = w.Node("Erf", {w.Mul(w.Number(0.70710678F), w.x)});
    const ValueId half = w.Mul(w.Number(0.5F), w.x);
    const std::string left = w.Left(w.Mul(half, w.Add(w.Number(1), erf)));
    CHECK(left.find(" = Gelu(x)\n") != std::string::npos);
    CHECK(left.find("Erf") == std::string::npos);
  }
  SECTION("halved by a division") {
    Writer w;
    const ValueId erf = w.Node("Erf", {w.Node("Div", {w.x, w.Number(1.41421356F)})});
    const ValueId half = w.Node("Div", {w.Add(erf, w.Number(1)), w.Number(2)});
    CHECK(w.Left(w.Mul(w.x, half)) == "Mul = Gelu(x)\n");
  }
}

// √(2/π) · (x + 0.044715 · cube).
ValueId TanhArgument(Writer& w, ValueId cube) {
  return w.Mul(w.Add(w.x, w.Mul(cube, w.Number(0.044715F))), w.Number(0.7978846F));
}

TEST_CASE("GELU by tanh is found however its cube is written", "[recognize]") {
  Writer w;
  ValueId argument = kNoValue;
  SECTION("as two products") { argument = TanhArgument(w, w.Mul(w.Mul(w.x, w.x), w.x)); }
  SECTION("as a power") { argument = TanhArgument(w, w.Node("Pow", {w.x, w.Number(3)})); }
  SECTION("with x taken out of the sum") {
    const ValueId square = w.Mul(w.Number(0.044715F), w.Mul(w.x, w.x));
    argument = w.Mul(w.Mul(w.x, w.Number(0.7978846F)), w.Add(square, w.Number(1)));
  }
  const ValueId sum = w.Add(w.Node("Tanh", {argument}), w.Number(1));
  const std::string left = w.Left(w.Mul(w.Mul(w.Number(0.5F), w.x), sum));
  CHECK(left.find(" = Gelu(x) {approximate = \"tanh\"}\n") != std::string::npos);
  CHECK(left.find("Tanh") == std::string::npos);
}

TEST_CASE("x may be a product itself", "[recognize]") {
  Writer w;
  const ValueId x = w.Mul(w.x, w.Number(3));
  const ValueId erf = w.Node("Erf", {w.Node("Div", {x, w.Number(1.41421356F)})});
  const ValueId m = w.Mul(x, w.Add(erf, w.Number(1)));
  const std::string left = w.Left(w.Mul(m, w.Number(0.5F)));
  CHECK(left.find(" = Gelu(Mul)\n") != std::string::npos);
}

TEST_CASE("what only looks like GELU stays", "[recognize]") {
  Writer w;
  ValueId result = kNoValue;
  const auto erf_of = [&](float divisor) {
    return w.Node("Erf", {w.Node("Div", {w.x, w.Number(divisor)})});
  };
  SECTION("another width") {
    const ValueId m = w.Mul(w.x, w.Add(erf_of(1.5F), w.Number(1)));
    result = w.Mul(m, w.Number(0.5F));
  }
  SECTION("not halved") { result = w.Mul(w.x, w.Add(erf_of(1.41421356F), w.Number(1))); }
  SECTION("another summand") {
    const ValueId m = w.Mul(w.x, w.Add(erf_of(1.41421356F), w.Number(2)));
    result = w.Mul(m, w.Number(0.5F));
  }
  SECTION("times something else") {
    const ValueId y = w.graph.AddInput("y", kernels::DType::kFloat32, {2, 3});
    const ValueId m = w.Mul(y, w.Add(erf_of(1.41421356F), w.Number(1)));
    result = w.Mul(m, w.Number(0.5F));
  }
  SECTION("another cube") {
    const ValueId cube = w.Mul(w.Mul(w.x, w.x), w.Number(2));
    const ValueId sum = w.Add(w.Node("Tanh", {TanhArgument(w, cube)}), w.Number(1));
    result = w.Mul(w.Mul(w.Number(0.5F), w.x), sum);
  }
  SECTION("a step of it is an output") {
    const ValueId erf = erf_of(1.41421356F);
    w.graph.MarkOutput("erf", erf);
    result = w.Mul(w.Mul(w.x, w.Add(erf, w.Number(1))), w.Number(0.5F));
  }
  w.graph.MarkOutput("output", result);
  const std::string before = Nodes(w.graph);
  CHECK(w.Left(result) == before);
}

TEST_CASE("GELU by tanh takes no other constants", "[recognize]") {
  Writer w;
  const ValueId cube = w.Mul(w.Mul(w.x, w.x), w.x);
  const ValueId inner = w.Add(w.x, w.Mul(cube, w.Number(0.05F)));
  const ValueId tanh = w.Node("Tanh", {w.Mul(inner, w.Number(0.7978846F))});
  const std::string left = w.Left(w.Mul(w.Mul(w.Number(0.5F), w.x), w.Add(tanh, w.Number(1))));
  CHECK(left.find("Gelu") == std::string::npos);
}

}  // namespace
}  // namespace rm::graph
