#include "runtime/graph/uses.h"

#include <catch2/catch.hpp>

namespace rm::graph {
namespace {

TEST_CASE("uses tell writers, readers and what is kept for callers", "[uses]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {kBatch});
  const ValueId w = graph.AddParameter("w", {1}, {});
  const ValueId a = graph.AddNode("Add", "a", {x, w});
  const ValueId twice = graph.AddNode("Add", "twice", {a, a});
  const ValueId y = graph.AddNode("Relu", "y", {twice});
  graph.MarkOutput("output", y);
  const ValueId dx = graph.AddBackwardNode("ReluGrad", "da", {x, kNoValue}, {a})[0];
  const ValueId dw = graph.AddBackwardNode("ReduceSum", "dw", {dx}, {w})[0];
  graph.SetGradient(a, dx);
  graph.SetGradient(w, dw);

  const Uses uses = FindUses(graph);
  CHECK(uses.writer_of(x) == kNoNode);
  CHECK(uses.writer_of(w) == kNoNode);
  CHECK(uses.writer_of(a) == 0);
  CHECK(uses.writer_of(dw) == 4);
  CHECK(uses.readers_of(x) == std::vector<int>{0, 3});
  CHECK(uses.readers_of(a) == std::vector<int>{1});
  CHECK(uses.readers_of(y).empty());
  CHECK(uses.is_kept(y));
  CHECK(uses.is_kept(dw));
  CHECK_FALSE(uses.is_kept(dx));  // a is not a parameter
  CHECK_FALSE(uses.is_kept(a));
  CHECK(uses.only_read_by(a, 1));
  CHECK_FALSE(uses.only_read_by(x, 0));
  CHECK_FALSE(uses.only_read_by(y, 0));
}

}  // namespace
}  // namespace rm::graph
