#include "runtime/graph/types.h"

#include <catch2/catch.hpp>

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Shape;

TEST_CASE("the batch size is put in for the open first dimension", "[types]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 6});
  const ValueId w = graph.AddParameter("w", {4, 6}, {});
  const ValueId y = graph.AddNode("Gemm", "y", {x, w}, {{"transB", int64_t{1}}});
  for (int64_t batch : {1, 7, 128}) {
    const auto types = InferTypes(graph, batch);
    REQUIRE(types.ok());
    CHECK((*types)[static_cast<size_t>(x)].shape == Shape{batch, 6});
    CHECK((*types)[static_cast<size_t>(w)].shape == Shape{4, 6});
    CHECK((*types)[static_cast<size_t>(y)].shape == Shape{batch, 4});
  }
}

TEST_CASE("a value that is like another has its type, whatever the batch", "[types]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 2, 3});
  const ValueId flat = graph.AddNode("Flatten", "flat", {x});
  const ValueId back = graph.AddBackwardNode("Reshape", "back", {flat}, {x})[0];
  const auto types = InferTypes(graph, 5);
  REQUIRE(types.ok());
  CHECK((*types)[static_cast<size_t>(back)].shape == Shape{5, 2, 3});
}

TEST_CASE("errors name node, operator and shapes", "[types]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 6});
  const ValueId w = graph.AddParameter("w", {4, 5}, {});
  graph.AddNode("Gemm", "fc1", {x, w}, {{"transB", int64_t{1}}});
  CHECK(InferTypes(graph, 2).status() ==
        absl::InvalidArgumentError("node 'fc1' (Gemm of [2, 6], [4, 5]): the inner dimensions 6 "
                                   "and 5 differ"));
}

TEST_CASE("a node whose result is not like what it belongs to is refused", "[types]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 6});
  const ValueId w = graph.AddParameter("w", {4}, {});
  graph.AddBackwardNode("Relu", "d", {x}, {w});
  CHECK(InferTypes(graph, 2).status() ==
        absl::InvalidArgumentError("node 'd' (Relu of [2, 6]): its result is [2, 6], but it must "
                                   "be as 'w', [4]"));
}

struct BadNode {
  const char* what;
  const char* op;
  int inputs;  // how many times x is an operand; −1: one operand that is absent
  int outputs;
  const char* error;
};

TEST_CASE("operators and operand counts that do not exist are refused", "[types]") {
  const BadNode cases[] = {
      {"an unknown operator", "Frobnicate", 1, 1, "this operator is not known"},
      {"too many inputs", "Relu", 2, 1, "it has 2 inputs, it takes 1"},
      {"too few inputs", "Gemm", 1, 1, "it has 1 inputs, it takes 2 to 3"},
      {"too many outputs", "Relu", 1, 2, "it has 2 outputs, it takes 1"},
      {"an absent operand", "Relu", -1, 1, "it lacks one of its inputs"},
  };
  for (const BadNode& bad : cases) {
    INFO(bad.what);
    Graph graph;
    const ValueId x = graph.AddInput("x", DType::kFloat32, {kBatch, 6});
    std::vector<ValueId> inputs(1, kNoValue);
    if (bad.inputs >= 0) inputs.assign(static_cast<size_t>(bad.inputs), x);
    graph.AddNodeWithOutputs(bad.op, "n", inputs, bad.outputs);
    const absl::Status status = InferTypes(graph, 2).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(status.message()), Catch::Contains(bad.error));
    CHECK_THAT(std::string(status.message()), Catch::StartsWith("node 'n' ("));
  }
}

TEST_CASE("a batch has at least one sample", "[types]") {
  CHECK(InferTypes(Graph(), 1).ok());
  CHECK(InferTypes(Graph(), 0).status() ==
        absl::InvalidArgumentError("a batch of 0 samples; at least 1"));
}

}  // namespace
}  // namespace rm::graph
