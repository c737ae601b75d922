// Every loss and its gradient against the loss in double precision and its central differences, for outputs of several ranks.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/kernels.h"
#include "runtime/graph/program.h"
#include "runtime/graph/training.h"
#include "tests/graph/double_interpreter.h"

namespace rm::graph {
namespace {

constexpr int64_t kBatchSize = 4;
constexpr float kScaleValue = 0.25F;

// x · w with a loss: x is (batch, 3) or (batch, 5, 3), w (3, 2).
Graph Model(const std::string& loss, bool rows_of_rows, float label_smoothing) {
  Graph graph;
  kernels::Shape shape = {kBatch, 3};
  if (rows_of_rows) shape = {kBatch, 5, 3};
  const ValueId x = graph.AddInput("x", kernels::DType::kFloat32, shape);
  const ValueId w = graph.AddParameter("w", {3, 2}, {});
  graph.MarkOutput(kModelOutput, graph.AddNode("MatMul", "y", {x, w}));
  LossOptions options;
  options.loss = loss;
  options.label_smoothing = label_smoothing;
  REQUIRE(AttachLoss(options, &graph) == absl::OkStatus());
  REQUIRE(Differentiate(&graph) == absl::OkStatus());
  return graph;
}

// The inputs of one step as numbers: classes or targets, and weights of which some are 0.
struct Numbers {
  std::vector<double> x, labels, weights;
};

Numbers Draw(const Program& program, bool has_classes) {
  const auto size = [&](const char* name) {
    return static_cast<size_t>(program.InputType(name)->elements());
  };
  base::RandomStream random(11, 3);
  Numbers numbers;
  for (size_t i = 0; i < size("x"); ++i) {
    numbers.x.push_back(static_cast<double>(2 * random.NextUniform() - 1));
  }
  for (size_t i = 0; i < size(kLabels); ++i) {
    numbers.labels.push_back(has_classes ? static_cast<double>(random.NextBelow(2))
                                         : static_cast<double>(random.NextUniform()));
  }
  for (size_t i = 0; i < size(kWeights); ++i) {
    numbers.weights.push_back(i % 3 == 1 ? 0.0 : 0.5 + static_cast<double>(i % 2));
  }
  return numbers;
}

template <typename T>
void Fill(const std::vector<double>& from, void* to) {
  for (size_t i = 0; i < from.size(); ++i) static_cast<T*>(to)[i] = static_cast<T>(from[i]);
}

// Loss times scale in double, for weights w.
double LossInDouble(const Graph& graph, const Numbers& numbers, const std::vector<double>& w) {
  const DoubleInterpreter interpreter(graph, kBatchSize);
  DoubleValues values = interpreter.NewValues();
  const auto at = [&](const char* name) -> std::vector<double>& {
    return values[static_cast<size_t>(graph.FindValue(name))];
  };
  at("x") = numbers.x;
  at(kLabels) = numbers.labels;
  at(kWeights) = numbers.weights;
  at("w") = w;
  interpreter.Run(&values);
  return static_cast<double>(kScaleValue) * at(kLossSum)[0];
}

void CheckLoss(const std::string& loss, bool rows_of_rows, float label_smoothing) {
  CAPTURE(loss, rows_of_rows, label_smoothing);
  const Graph graph = Model(loss, rows_of_rows, label_smoothing);
  const bool has_classes = loss == "softmax_cross_entropy";
  CompileOptions options;
  options.batch = kBatchSize;
  options.kernels = kernels::CpuKernels();
  const auto program = Program::Compile(graph, options);
  REQUIRE(program.ok());
  alignas(64) float value[16] = {};
  alignas(64) float gradient[16] = {};
  (*program)->BindParameter(0, value, gradient);
  std::vector<double> w = {0.5, -1, 0.25, 2, -0.75, 1};
  Fill<float>(w, value);
  const Numbers numbers = Draw(**program, has_classes);
  Fill<float>(numbers.x, *(*program)->InputMemory("x"));
  Fill<float>(numbers.weights, *(*program)->InputMemory(kWeights));
  void* labels = *(*program)->InputMemory(kLabels);
  if (has_classes) Fill<int64_t>(numbers.labels, labels);
  if (!has_classes) Fill<float>(numbers.labels, labels);
  *static_cast<float*>(*(*program)->InputMemory(kScale)) = kScaleValue;
  REQUIRE((*program)->Forward() == absl::OkStatus());
  const float loss_sum = *static_cast<const float*>(*(*program)->OutputMemory(kLossSum));
  REQUIRE((*program)->Backward([](int) {}) == absl::OkStatus());

  CHECK(static_cast<double>(kScaleValue * loss_sum) ==
        Approx(LossInDouble(graph, numbers, w)).epsilon(1e-5));
  for (size_t i = 0; i < w.size(); ++i) {
    constexpr double kStep = 1e-6;
    const double here = w[i];
    w[i] = here + kStep;
    const double above = LossInDouble(graph, numbers, w);
    w[i] = here - kStep;
    const double below = LossInDouble(graph, numbers, w);
    w[i] = here;
    CHECK(static_cast<double>(gradient[i]) ==
          Approx((above - below) / (2 * kStep)).epsilon(1e-4).margin(1e-6));
  }
}

TEST_CASE("the gradient of every loss is its slope, for rows and for rows of rows") {
  for (const bool rows_of_rows : {false, true}) {
    CheckLoss("softmax_cross_entropy", rows_of_rows, 0);
    CheckLoss("softmax_cross_entropy", rows_of_rows, 0.2F);
    CheckLoss("mse", rows_of_rows, 0);
    CheckLoss("sigmoid_binary_cross_entropy", rows_of_rows, 0);
  }
}

}  // namespace
}  // namespace rm::graph
