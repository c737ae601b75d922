// Gradients of operators that binding writes by others: rules and kernels of the parts are right, and
// the whole may still be wrong where pieces meet, or where a part has a slope of ∞. So besides points at
// random (central differences, gradient_check.h) these are taken at exactly 0, by known slopes.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/graph/bind.h"
#include "tests/graph/gradient_check.h"
#include "tests/graph/training_run.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

constexpr int64_t kSamples = 3;
constexpr uint64_t kSeed = 5;

// Bound, and only then with loss and backward pass, as models are.
Graph Trained(const Graph& model) {
  absl::StatusOr<Graph> bound = BindBatch(model, kSamples);
  REQUIRE(bound.status() == absl::OkStatus());
  return WithLoss(*std::move(bound), 0);
}

// y = op(x + p[, second]) as a matrix of logits, p being the parameter of index 0.
Graph ModelOf(const std::string& op, const Attributes& attributes, const kernels::Shape& sample,
              const std::vector<float>& p, const std::vector<float>& second = {}) {
  Graph graph;
  kernels::Shape shape = {kBatch};
  shape.insert(shape.end(), sample.begin(), sample.end());
  const ValueId x = graph.AddInput("input", kernels::DType::kFloat32, shape);
  const ValueId shift = graph.AddParameter("p", sample, Initializer::Of(p));
  std::vector<ValueId> operands = {graph.AddNode("Add", "z", {x, shift})};
  if (!second.empty()) {
    const auto size = static_cast<int64_t>(second.size());
    operands.push_back(graph.AddParameter("second", {size}, Initializer::Of(second)));
  }
  graph.MarkOutput(kModelOutput, Flat(graph.AddNode(op, "y", operands, attributes), &graph));
  return graph;
}

// One step whose input is 0 everywhere, so that the operator sees p.
StepResult StepAt(const Graph& model) {
  const Graph graph = Trained(model);
  CompileOptions options;
  options.batch = kSamples;
  options.kernels = kernels::ReferenceKernels();
  auto run = TrainingRun::Make(graph, options, kSeed);
  REQUIRE(run.status() == absl::OkStatus());
  StepData data = RandomStep(graph, kSamples, kSeed);
  for (float& element : data.input) element = 0;
  data.weights.assign(data.weights.size(), 1);
  const auto result = run->Step(data);
  REQUIRE(result.status() == absl::OkStatus());
  return *result;
}

TEST_CASE("gradients of what is written by others are those of the whole", "[gradient]") {
  struct Whole {
    const char* op;
    Attributes attributes;
    std::vector<float> second;
  };
  const Whole cases[] = {{"Celu", {{"alpha", 0.7F}}, {}},
                         {"LpNormalization", {{"p", int64_t{1}}}, {}},
                         {"LpNormalization", {{"p", int64_t{2}}}, {}},
                         {"Mish", {}, {}},
                         {"PRelu", {}, {0.1F, -0.2F, 0.3F}},
                         {"ReduceL2", {{"axes", Ints{2}}, {"keepdims", int64_t{0}}}, {}},
                         {"Softplus", {}, {}}};
  for (const Whole& whole : cases) {
    INFO(whole.op);
    const Graph graph = Trained(ModelOf(whole.op, whole.attributes, {2, 3},
                                        {0.3F, -0.4F, 0.5F, -0.6F, 0.2F, -0.9F}, whole.second));
    for (uint64_t seed = 1; seed <= 2; ++seed) CheckGradients(graph, kSamples, seed, 100);
  }
}

// A constant that all logits have in common, as Softplus's log 2, does not change softmax: the gradient
// of p is that of a straight line of the same slope.
TEST_CASE("functions of pieces have at 0 the slope of the side that includes it", "[gradient]") {
  const auto of_line = [](float slope) {
    return StepAt(ModelOf("LeakyRelu", {{"alpha", slope}}, {3}, {0, 0, 0})).gradients[0];
  };
  const auto of = [](const char* op, const Attributes& attributes, const std::vector<float>& second) {
    return StepAt(ModelOf(op, attributes, {3}, {0, 0, 0}, second)).gradients[0];
  };
  CHECK(LargestMagnitude(of_line(0.5F)) > 0.01);
  CHECK(LargestDifference(of("Softplus", {}, {}), of_line(0.5F)) < 1e-6);
  CHECK(LargestDifference(of("Celu", {{"alpha", 1.5F}}, {}), of_line(1)) < 1e-6);
  CHECK(LargestDifference(of("PRelu", {}, {0.25F, 0.25F, 0.25F}), of_line(0.25F)) < 1e-6);
  // x · tanh(softplus(x)) at 0: tanh(log 2) = 3/5.
  CHECK(LargestDifference(of("Mish", {}, {}), of_line(0.6F)) < 1e-6);
}

TEST_CASE("a row of zeros has a norm of 0 and no part in the gradient", "[gradient]") {
  for (const int64_t keep : {0, 1}) {
    const StepResult result = StepAt(ModelOf(
        "ReduceL2", {{"axes", Ints{2}}, {"keepdims", keep}}, {2, 3}, {0, 0, 0, 3, 0, 4}));
    REQUIRE(result.output.size() == 6);
    CHECK(result.output[0] == 0);
    CHECK(result.output[1] == Approx(5));
    const std::vector<float>& gradient = result.gradients[0];
    for (size_t i = 0; i < 3; ++i) CHECK(gradient[i] == 0);
    // The other row is that of a norm: along (3, 0, 4) / 5.
    CHECK(std::abs(gradient[3]) > 0.01F);
    CHECK(gradient[5] / gradient[3] == Approx(4.0 / 3));
  }
}

TEST_CASE("a row of zeros is normalised to zeros, with finite gradients", "[gradient]") {
  for (const int64_t p : {1, 2}) {
    const StepResult result =
        StepAt(ModelOf("LpNormalization", {{"p", p}}, {2, 3}, {0, 0, 0, 3, 0, 4}));
    REQUIRE(result.output.size() == 18);
    for (size_t i = 0; i < 3; ++i) CHECK(result.output[i] == 0);
    CHECK(result.output[3] == Approx(p == 1 ? 3.0 / 7 : 3.0 / 5));
    for (const float element : result.gradients[0]) CHECK(std::isfinite(element));
    CHECK(LargestMagnitude(result.gradients[0]) > 0.01);
  }
}

TEST_CASE("a norm of what is not a number is seen, not taken for 0", "[gradient]") {
  const StepResult result = StepAt(ModelOf("ReduceL2", {{"axes", Ints{2}}, {"keepdims", int64_t{0}}},
                                           {2, 3}, {NAN, 0, 0, 3, 0, 4}));
  CHECK(std::isnan(result.output[0]));
}

}  // namespace
}  // namespace rm::graph
