#include "runtime/graph/own_weights.h"

#include <catch2/catch.hpp>

#include "runtime/graph/graph_testing.h"
#include "runtime/graph/kernel_testing.h"

namespace rm::graph {
namespace {

std::unique_ptr<Program> Compiled(const Graph& graph, const std::vector<kernels::KernelEntry>& table,
                                  bool training) {
  CompileOptions options;
  options.batch = 2;
  options.kernels = table;
  options.training = training;
  auto program = Program::Compile(graph, options);
  REQUIRE(program.status() == absl::OkStatus());
  return *std::move(program);
}

// x (batch, 3), scaled by a parameter and shifted by a buffer that holds nines.
Graph Shifted() {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {kBatch, 3});
  const ValueId w = graph.AddParameter("w", {3}, Initializer::Of({2, 2, 2}));
  const ValueId b = graph.AddBuffer("b", {3}, Initializer::Of({9, 9, 9}));
  const ValueId scaled = graph.AddNode("Mul", "scaled", {x, w});
  graph.MarkOutput(kModelOutput, graph.AddNode("Add", "shifted", {scaled, b}));
  return graph;
}

TEST_CASE("parameters and buffers hold their first values", "[own_weights]") {
  const Graph graph = Shifted();
  const auto table = PlainTable();
  const auto program = Compiled(graph, table, /*training=*/false);
  CHECK(program->Forward().message() == "parameter 'w' is not bound to memory");
  const auto weights = OwnWeights::Bind(graph, 1, program.get());
  REQUIRE(weights.status() == absl::OkStatus());
  REQUIRE(program->Forward() == absl::OkStatus());
  // A fake kernel adds one to the first floats of its operands: 1 + 0 + 2 is the product, 1 + 3 + 9 the sum.
  const auto* output = static_cast<const float*>(program->OutputMemory(kModelOutput).value());
  CHECK(output[0] == 13);
}

TEST_CASE("there is room for gradients", "[own_weights]") {
  const Graph graph = ForTraining(TwoLayers());
  const auto table = PlainTable();
  const auto program = Compiled(graph, table, /*training=*/true);
  const auto weights = OwnWeights::Bind(graph, 1, program.get());
  REQUIRE(weights.status() == absl::OkStatus());
  REQUIRE(program->Forward() == absl::OkStatus());
  int ready = 0;
  REQUIRE(program->Backward([&](int) { ++ready; }) == absl::OkStatus());
  CHECK(ready == 4);
}

TEST_CASE("a program of another graph is refused by name", "[own_weights]") {
  const auto table = PlainTable();
  const Graph graph = Shifted();
  const auto program = Compiled(graph, table, /*training=*/false);
  const auto weights = OwnWeights::Bind(TwoLayers(), 1, program.get());
  CHECK(weights.status() == absl::NotFoundError("the graph has no 'w'"));
}

}  // namespace
}  // namespace rm::graph
