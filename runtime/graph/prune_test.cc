#include "runtime/graph/prune.h"

#include <catch2/catch.hpp>

#include "runtime/graph/graph_testing.h"

namespace rm::graph {
namespace {

using kernels::DType;

TEST_CASE("nodes that no output needs are removed", "[prune]") {
  Graph graph = TwoLayers();
  const std::string nodes = Nodes(graph);
  const ValueId dead = graph.AddNode("Relu", "dead", {graph.FindValue("fc1")});
  graph.AddNode("Relu", "deader", {dead});
  EliminateDeadNodes(&graph);
  CHECK(Nodes(graph) == nodes);
}

TEST_CASE("nodes that a gradient needs are kept", "[prune]") {
  Graph graph = ForTraining(SmallConvnet());
  const std::string nodes = Nodes(graph);
  EliminateDeadNodes(&graph);
  CHECK(Nodes(graph) == nodes);
}

TEST_CASE("without the backward pass no gradient is left", "[prune]") {
  Graph graph = ForTraining(TwoLayers());
  const std::string forward = ForwardNodes(graph);
  DropBackward(&graph);
  CHECK(Nodes(graph) == forward);
  CHECK(graph.gradients().empty());
}

TEST_CASE("an optional result that only the backward pass reads becomes absent", "[prune]") {
  Graph graph = ForTraining(SmallConvnet());
  CHECK_THAT(Nodes(graph), Catch::Contains("pool, pool:1 = MaxPool(relu2)"));
  DropBackward(&graph);
  EliminateDeadNodes(&graph);
  CHECK_THAT(Nodes(graph), Catch::Contains("pool, - = MaxPool(relu2)"));
  // Probabilities are no option: they stay.
  CHECK_THAT(Nodes(graph), Catch::Contains("loss_sum, loss_sum:1 = SoftmaxCrossEntropy("));
}

TEST_CASE("a node stays for the sake of one of its results", "[prune]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 1, 4, 4});
  const std::vector<ValueId> pool = graph.AddNodeWithOutputs(
      "MaxPool", "pool", {x}, 2, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  graph.MarkOutput("places", pool[1]);
  EliminateDeadNodes(&graph);
  CHECK(graph.nodes()[0].outputs == pool);
}

}  // namespace
}  // namespace rm::graph
