#include "tests/graph/gradient_check.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <utility>

#include "base/random.h"
#include "kernels/kernels.h"
#include "tests/graph/double_interpreter.h"
#include "tests/graph/training_run.h"

namespace rm::graph {
namespace {

constexpr double kStep = 1e-6;

// The loss of one step as a function of the parameters, in double.
class DoubleLoss {
 public:
  DoubleLoss(const Graph& graph, int64_t batch, const StepData& data)
      : interpreter_(graph, batch), values_(interpreter_.NewValues()), scale_(data.scale) {
    loss_ = static_cast<size_t>(graph.FindOutput(kLossSum));
    Set(graph.inputs()[0], data.input);
    Set(graph.FindValue(kLabels), data.labels);
    Set(graph.FindValue(kWeights), data.weights);
  }

  template <typename T>
  void Set(ValueId id, const std::vector<T>& from) {
    values_[static_cast<size_t>(id)].assign(from.begin(), from.end());
  }

  double Loss() {
    interpreter_.Run(&values_);
    return static_cast<double>(scale_) * values_[loss_][0];
  }

  double Difference(ValueId parameter, size_t element) {
    double& x = values_[static_cast<size_t>(parameter)][element];
    const double at = x;
    x = at + kStep;
    const double above = Loss();
    x = at - kStep;
    const double below = Loss();
    x = at;
    return (above - below) / (2 * kStep);
  }

 private:
  const DoubleInterpreter interpreter_;
  DoubleValues values_;
  const float scale_;
  size_t loss_ = 0;
};

}  // namespace

void CheckGradients(const Graph& graph, int64_t batch, uint64_t seed, size_t samples) {
  CompileOptions options;
  options.batch = batch;
  options.kernels = kernels::ReferenceKernels();
  auto run = TrainingRun::Make(graph, options, seed);
  REQUIRE(run.status() == absl::OkStatus());
  const StepData data = RandomStep(graph, batch, seed);
  const auto result = run->Step(data);
  REQUIRE(result.status() == absl::OkStatus());

  DoubleLoss loss(graph, batch, data);
  const std::vector<ValueId> parameters = graph.parameters();
  for (size_t p = 0; p < parameters.size(); ++p) loss.Set(parameters[p], run->weights(p));
  CHECK(loss.Loss() ==
        Approx(static_cast<double>(data.scale) * static_cast<double>(result->loss_sum))
            .epsilon(1e-5));

  base::RandomStream random(seed, 99);
  for (size_t p = 0; p < parameters.size(); ++p) {
    const std::vector<float>& gradient = result->gradients[p];
    double largest = 0;
    for (float g : gradient) largest = std::max(largest, std::abs(static_cast<double>(g)));
    double worst = 0;
    for (size_t s = 0; s < std::min(samples, gradient.size()); ++s) {
      const size_t i = gradient.size() <= samples ? s : random.NextBelow(gradient.size());
      const double difference = loss.Difference(parameters[p], i);
      worst = std::max(worst, std::abs(difference - static_cast<double>(gradient[i])));
    }
    INFO("parameter " << graph.value(parameters[p]).name << ", largest " << largest);
    CHECK(worst <= 2e-5 * largest + 3e-7);
  }
}

Graph WithLoss(Graph graph, float label_smoothing) {
  LossOptions options;
  options.label_smoothing = label_smoothing;
  REQUIRE(AttachLoss(options, &graph) == absl::OkStatus());
  REQUIRE(Differentiate(&graph) == absl::OkStatus());
  return graph;
}

void CheckRules(absl::Span<const RuleCase> rules) {
  for (const RuleCase& rule : rules) {
    INFO(rule.what);
    Graph graph;
    const ValueId x = graph.AddInput("input", kernels::DType::kFloat32, rule.input);
    graph.MarkOutput(kModelOutput, rule.build(x, &graph));
    const Graph training = WithLoss(std::move(graph), 0);
    for (uint64_t seed = 1; seed <= 3; ++seed) CheckGradients(training, 3, seed, 100);
  }
}

ValueId Parameter(const char* name, kernels::Shape shape, Graph* graph) {
  Initializer initializer;
  initializer.kind = Initializer::Kind::kUniform;
  initializer.scale = 1;
  return graph->AddParameter(name, std::move(shape), initializer);
}

ValueId Flat(ValueId x, Graph* graph) { return graph->AddNode("Flatten", "flat", {x}); }

}  // namespace rm::graph
