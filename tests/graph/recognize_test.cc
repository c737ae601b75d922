// A block as an exporter writes it, step by step, trains as what it is recognised as does: the same
// outputs and gradients, from fewer nodes.
#include "runtime/graph/recognize.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "kernels/kernels.h"
#include "runtime/graph/debug_string.h"
#include "tests/graph/gradient_check.h"
#include "tests/graph/training_run.h"

namespace rm::graph {
namespace {

constexpr int64_t kRows = 3, kPlaces = 6, kWidth = 8, kHeads = 2;

// x · w + b, as two nodes.
ValueId Layer(const std::string& name, ValueId x, int64_t in, int64_t out, Graph* g) {
  const ValueId w = Parameter((name + "/w").c_str(), {in, out}, g);
  const ValueId m = g->AddNode("MatMul", name + "/m", {x, w});
  return g->AddNode("Add", name, {Parameter((name + "/b").c_str(), {out}, g), m});
}

// 0.5 · x · (1 + erf(x / √2)).
ValueId GeluByErf(ValueId x, Graph* g) {
  const ValueId root = g->AddConstant("root", {}, {1.41421356F});
  const ValueId one = g->AddConstant("one", {}, {1.0F});
  const ValueId half = g->AddConstant("half", {}, {0.5F});
  const ValueId erf = g->AddNode("Erf", "erf", {g->AddNode("Div", "scaled", {x, root})});
  const ValueId m = g->AddNode("Mul", "m", {x, g->AddNode("Add", "sum", {erf, one})});
  return g->AddNode("Mul", "gelu", {m, half});
}

// The same by tanh.
ValueId GeluByTanh(ValueId x, Graph* g) {
  const auto number = [g](const char* name, float value) {
    return g->AddConstant(name, {}, {value});
  };
  const ValueId cube = g->AddNode("Pow", "cube", {x, number("three", 3)});
  const ValueId cubic = g->AddNode("Mul", "cubic", {cube, number("c", 0.044715F)});
  const ValueId inner = g->AddNode("Add", "inner", {x, cubic});
  const ValueId scaled = g->AddNode("Mul", "scaled", {number("root", 0.7978846F), inner});
  const ValueId sum =
      g->AddNode("Add", "sum", {g->AddNode("Tanh", "tanh", {scaled}), number("one", 1)});
  const ValueId half = g->AddNode("Mul", "x/2", {x, number("half", 0.5F)});
  return g->AddNode("Mul", "gelu", {half, sum});
}

// Queries, keys and values are slices of one product; keys are transposed in one step.
ValueId Attention(ValueId x, Graph* g) {
  const ValueId qkv = Layer("qkv", x, kWidth, 3 * kWidth, g);
  std::vector<ValueId> heads;
  for (int64_t i = 0; i < 3; ++i) {
    const std::string name(1, "qkv"[i]);
    const ValueId part = g->AddNode("Slice", name + "/part", {qkv},
                                    {{"axes", Ints{2}},
                                     {"starts", Ints{i * kWidth}},
                                     {"ends", Ints{(i + 1) * kWidth}},
                                     {"steps", Ints{1}}});
    const ValueId apart = g->AddNode("Reshape", name + "/apart", {part},
                                     {{"shape", Ints{-1, kPlaces, kHeads, kWidth / kHeads}}});
    const Ints perm = i == 1 ? Ints{0, 2, 3, 1} : Ints{0, 2, 1, 3};
    heads.push_back(g->AddNode("Transpose", name, {apart}, {{"perm", perm}}));
  }
  const ValueId dots = g->AddNode("MatMul", "dots", {heads[0], heads[1]});
  const ValueId shares = g->AddNode("Softmax", "shares", {dots}, {{"axis", int64_t{3}}});
  const ValueId mixed = g->AddNode("MatMul", "mixed", {shares, heads[2]});
  const ValueId back = g->AddNode("Transpose", "back", {mixed}, {{"perm", Ints{0, 2, 1, 3}}});
  return g->AddNode("Reshape", "joined", {back}, {{"shape", Ints{-1, kPlaces, kWidth}}});
}

// A transformer's block, for the batch of kRows alone.
Graph Written(ValueId (*gelu)(ValueId x, Graph* g)) {
  Graph g;
  const ValueId x =
      g.AddInput("input", kernels::DType::kFloat32, {kRows, kPlaces, kWidth});
  const ValueId after = g.AddNode("Add", "after", {x, Attention(x, &g)});
  const ValueId up = gelu(Layer("up", after, kWidth, 2 * kWidth, &g), &g);
  const ValueId down = Layer("down", up, 2 * kWidth, kWidth, &g);
  const ValueId flat = g.AddNode("Reshape", "flat", {g.AddNode("Add", "end", {after, down})},
                                 {{"shape", Ints{kRows, kPlaces * kWidth}}});
  g.MarkOutput(kModelOutput, Layer("logits", flat, kPlaces * kWidth, 4, &g));
  return g;
}

StepResult Train(const Graph& model) {
  const Graph graph = WithLoss(model, 0.1F);
  CompileOptions options;
  options.batch = kRows;
  options.kernels = kernels::CpuKernels();
  auto run = TrainingRun::Make(graph, options, 5);
  REQUIRE(run.status() == absl::OkStatus());
  auto result = run->Step(RandomStep(graph, kRows, 5));
  REQUIRE(result.status() == absl::OkStatus());
  return *std::move(result);
}

TEST_CASE("what is recognised computes what was written, forwards and backwards", "[recognize]") {
  for (const auto gelu : {&GeluByErf, &GeluByTanh}) {
    const Graph written = Written(gelu);
    Graph recognized = written;
    REQUIRE(Recognize(&recognized) == absl::OkStatus());
    CHECK(recognized.nodes().size() < written.nodes().size());
    const StepResult a = Train(recognized);
    const StepResult b = Train(written);
    CHECK(LargestDifference(a.output, b.output) <= 1e-5);
    CHECK(std::abs(a.loss_sum - b.loss_sum) <= 1e-5F);
    REQUIRE(a.gradients.size() == b.gradients.size());
    double largest = 0;
    for (const auto& gradient : b.gradients) {
      largest = std::max(largest, LargestMagnitude(gradient));
    }
    CHECK(largest > 0);
    for (size_t i = 0; i < a.gradients.size(); ++i) {
      CAPTURE(i);
      CHECK(LargestDifference(a.gradients[i], b.gradients[i]) <= 1e-5 * largest);
    }
  }
}

TEST_CASE("what has been recognised is found no further", "[recognize]") {
  Graph graph = Written(&GeluByErf);
  REQUIRE(Recognize(&graph) == absl::OkStatus());
  const std::string once = DebugString(graph);
  REQUIRE(Recognize(&graph) == absl::OkStatus());
  CHECK(DebugString(graph) == once);
}

TEST_CASE("a graph whose shapes do not fit is refused with its node", "[recognize]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, {2, 3});
  const ValueId w = graph.AddParameter("w", {4, 5}, {});
  graph.MarkOutput("output", graph.AddNode("MatMul", "m", {x, w}));
  const absl::Status status = Recognize(&graph);
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(status.message()).find("node 'm'") != std::string::npos);
}

}  // namespace
}  // namespace rm::graph
