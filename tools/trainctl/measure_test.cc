#include "tools/trainctl/measure.h"

#include <catch2/catch.hpp>

#include "kernels/kernels.h"
#include "runtime/graph/training.h"
#include "runtime/zoo/zoo.h"

namespace rm::trainctl {
namespace {

TEST_CASE("a node's bound is the slower of its bytes and its operations", "[measure]") {
  const MachineRates rates{1e9, {{1000, 1e9}, {100'000, 1e8}}};
  CHECK(rates.Bound(1'000'000, 0) == absl::Milliseconds(1));
  CHECK(rates.Bound(0, 1000) == absl::Microseconds(1));     // in the cache
  CHECK(rates.Bound(0, 1001) == absl::Nanoseconds(10'010)); // out of it
  CHECK(rates.Bound(0, 1'000'000) == absl::Milliseconds(10));
  CHECK(rates.Bound(1'000'000, 1000) == absl::Milliseconds(1));
}

TEST_CASE("the machine's rates are those of a machine", "[measure]") {
  const auto rates = MeasureRates();
  REQUIRE(rates.status() == absl::OkStatus());
  CHECK(rates->flops_per_second > 1e8);
  REQUIRE(rates->bytes_per_second.size() == 7);
  for (const auto& [block, rate] : rates->bytes_per_second) {
    CAPTURE(block);
    CHECK(rate > 1e8);
  }
}

// The smallest mlp for training, or for use.
graph::Graph Mlp(bool training) {
  auto graph = zoo::BuildModel("mlp", {{"hidden1", 16}, {"hidden2", 8}});
  REQUIRE(graph.status() == absl::OkStatus());
  if (training) {
    REQUIRE(graph::AttachLoss({}, &*graph) == absl::OkStatus());
    REQUIRE(graph::Differentiate(&*graph) == absl::OkStatus());
  }
  return *std::move(graph);
}

TEST_CASE("every node that has a kernel takes time, in use and in training", "[measure]") {
  const MachineRates rates{1e11, {{1 << 30, 1e11}}};
  for (const bool training : {false, true}) {
    CAPTURE(training);
    const graph::Graph graph = Mlp(training);
    graph::CompileOptions options;
    options.batch = 4;
    options.kernels = kernels::CpuKernels();
    options.training = training;
    const auto program = graph::Program::Compile(graph, options);
    REQUIRE(program.status() == absl::OkStatus());
    const auto measured = MeasureProgram(graph, training, rates, program->get());
    REQUIRE(measured.status() == absl::OkStatus());
    CHECK(measured->runs >= 5);
    CHECK(measured->step > absl::ZeroDuration());
    REQUIRE(measured->nodes.size() == (*program)->Report().size());
    bool any_backward = false;
    for (const NodeCost& node : measured->nodes) {
      CAPTURE(node.report.node);
      const bool is_view = node.report.kernel == "view";
      any_backward = any_backward || node.report.backward;
      CHECK((node.time > absl::ZeroDuration()) != is_view);
      CHECK((node.bound > absl::ZeroDuration()) != is_view);
    }
    CHECK(any_backward == training);
  }
}

}  // namespace
}  // namespace rm::trainctl
