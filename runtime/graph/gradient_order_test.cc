#include "runtime/graph/gradient_order.h"

#include <catch2/catch.hpp>

#include "runtime/graph/graph_testing.h"

namespace rm::graph {
namespace {

using kernels::DType;

TEST_CASE("gradients that are nobody else's stay as they are", "[gradient_order]") {
  TypedGraph typed = Typed(ForTraining(SmallConvnet()));
  const std::string before = DebugString(typed.graph);
  IsolateGradients(&typed);
  CHECK(DebugString(typed.graph) == before);
}

TEST_CASE("a gradient that is read, shared or an input is copied", "[gradient_order]") {
  // y = x·w + c, with c of y's own shape: dc is dy, which dw reads; and so is de.
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {2, 3});
  const ValueId w = graph.AddParameter("w", {3, 4}, {});
  const ValueId c = graph.AddParameter("c", {2, 4}, {});
  const ValueId e = graph.AddParameter("e", {2, 4}, {});
  const ValueId product = graph.AddNode("Gemm", "product", {x, w});
  const ValueId sum = graph.AddNode("Add", "sum", {product, c});
  graph.MarkOutput(kModelOutput, graph.AddNode("Add", "all", {sum, e}));
  TypedGraph typed = Typed(ForTraining(graph));
  CHECK(GradientLines(typed.graph) ==
        "gradient w = product/dB\n"
        "gradient c = loss_sum/dlogits\n"
        "gradient e = loss_sum/dlogits\n");
  IsolateGradients(&typed);
  CHECK(GradientLines(typed.graph) ==
        "gradient w = product/dB\n"
        "gradient c = c/gradient\n"
        "gradient e = e/gradient\n");
  CHECK_THAT(BackwardNodes(typed.graph),
             Catch::Contains("  c/gradient = Reshape(loss_sum/dlogits)\n"
                             "  e/gradient = Reshape(loss_sum/dlogits)\n"));
  CHECK(typed.type(typed.graph.FindValue("e/gradient")).shape == kernels::Shape{2, 4});
}

TEST_CASE("of two parameters with one gradient each gets a copy", "[gradient_order]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {2, 4});
  const ValueId c = graph.AddParameter("c", {2, 4}, {});
  const ValueId e = graph.AddParameter("e", {2, 4}, {});
  const ValueId sum = graph.AddNode("Add", "sum", {x, c});
  graph.MarkOutput(kModelOutput, graph.AddNode("Add", "all", {sum, e}));
  TypedGraph typed = Typed(ForTraining(graph));
  IsolateGradients(&typed);
  // Else c's memory, which is the caller's by then, would be read for e.
  CHECK(GradientLines(typed.graph) ==
        "gradient c = c/gradient\n"
        "gradient e = e/gradient\n");
}

TEST_CASE("parameter gradients come before what carries on to earlier layers", "[gradient_order]") {
  // In the order in which a careless rule would append them.
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 4});
  const ValueId w = graph.AddParameter("w", {4, 4}, {});
  const ValueId b = graph.AddParameter("b", {1, 4}, {});
  const ValueId v = graph.AddParameter("v", {4, 4}, {});
  const ValueId y = graph.AddNode("Gemm", "y", {x, w, b});
  graph.MarkOutput("output", y);
  const ValueId dy = graph.AddBackwardNode("Relu", "dy", {y}, {y})[0];
  const ValueId dx = graph.AddBackwardNode("Gemm", "dx", {dy, w}, {x})[0];
  const ValueId earlier = graph.AddBackwardNode("Relu", "earlier", {dx}, {x})[0];
  const ValueId dw2 = graph.AddBackwardNode("Gemm", "dw2", {x, earlier}, {w})[0];
  const ValueId dv = graph.AddBackwardNode("Gemm", "dv", {x, earlier}, {v})[0];
  const ValueId sum = graph.AddBackwardNode("ReduceSum", "sum", {dy}, {b})[0];
  const ValueId db = graph.AddBackwardNode("Reshape", "db", {sum}, {b})[0];
  graph.SetGradient(b, db);
  graph.SetGradient(w, dw2);
  graph.SetGradient(v, dv);
  OrderBackward(&graph);
  CHECK(Nodes(graph) ==
        "y = Gemm(x, w, b)\n"
        "  dy = Relu(y)\n"
        "  sum = ReduceSum(dy)\n"
        "  db = Reshape(sum)\n"
        "  dx = Gemm(dy, w)\n"
        "  earlier = Relu(dx)\n"
        "  dw2 = Gemm(x, earlier)\n"
        "  dv = Gemm(x, earlier)\n");
}

TEST_CASE("a good order is kept", "[gradient_order]") {
  for (const Graph& model : {TwoLayers(), SmallConvnet()}) {
    Graph graph = ForTraining(model);
    const std::string before = Nodes(graph);
    OrderBackward(&graph);
    CHECK(Nodes(graph) == before);
  }
}

TEST_CASE("backward nodes never move into the forward pass", "[gradient_order]") {
  // The rows of A, a view that the gradient reads, depend on the forward pass alone.
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 3});
  const ValueId w = graph.AddParameter("w", {3, 4}, {});
  const ValueId y = graph.AddNode("MatMul", "y", {x, w});
  graph.MarkOutput(kModelOutput, graph.AddNode("Flatten", "flat", {y}));
  Graph training = ForTraining(graph);
  OrderBackward(&training);
  bool backward = false;
  for (const Node& node : training.nodes()) {
    CHECK((node.backward || !backward));
    backward = node.backward;
  }
  CHECK_THAT(BackwardNodes(training), Catch::Contains("  y/A/rows = Reshape(x) {shape = [-1, 3]}"));
}

}  // namespace
}  // namespace rm::graph
