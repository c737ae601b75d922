// Gradients against central differences of the loss in double precision.
//
// The loss is piecewise smooth: with a step of 1e-6 a difference across a kink of Relu or MaxPool
// is rare, and cannot go unseen, as it would be far off; seeds are fixed, and none of them has one.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "base/random.h"
#include "kernels/kernels.h"
#include "runtime/graph/random_model_testing.h"
#include "runtime/graph/training.h"
#include "runtime/zoo/zoo.h"
#include "tests/graph/double_interpreter.h"
#include "tests/graph/training_run.h"

namespace rm::graph {
namespace {

using Ints = std::vector<int64_t>;

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

// Checks up to `samples` elements of every parameter's gradient as computed by the reference
// kernels.
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

// A model of one operator between an input of 4 numbers, or an image, and 3 classes.
struct RuleCase {
  const char* what;
  kernels::Shape input;
  ValueId (*build)(ValueId x, Graph* graph);
};

ValueId Parameter(const char* name, kernels::Shape shape, Graph* graph) {
  Initializer initializer;
  initializer.kind = Initializer::Kind::kUniform;
  initializer.scale = 1;
  return graph->AddParameter(name, std::move(shape), initializer);
}

ValueId Flat(ValueId x, Graph* graph) { return graph->AddNode("Flatten", "flat", {x}); }

ValueId Convolved(ValueId x, kernels::Shape w, kernels::Attributes attributes, Graph* graph) {
  const int64_t out = w[0];
  return graph->AddNode("Conv", "conv",
                        {x, Parameter("w", std::move(w), graph), Parameter("b", {out}, graph)},
                        std::move(attributes));
}

ValueId Pooled(ValueId x, kernels::Attributes attributes, Graph* graph) {
  const ValueId shift = Parameter("shift", {2, 5, 5}, graph);
  return Flat(graph->AddNode("MaxPool", "pool", {graph->AddNode("Add", "add", {x, shift})},
                             std::move(attributes)),
              graph);
}

// Gemm with a parameter behind each operand.
ValueId FullGemm(ValueId x, kernels::Shape b, kernels::Shape c, kernels::Attributes attributes,
                 Graph* graph) {
  const ValueId a = graph->AddNode("Add", "a", {x, Parameter("p", {4}, graph)});
  return graph->AddNode(
      "Gemm", "gemm", {a, Parameter("b", std::move(b), graph), Parameter("c", std::move(c), graph)},
      std::move(attributes));
}

const RuleCase kRules[] = {
    {"Gemm",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {4, 3}, {3}, {}, g);
     }},
    {"Gemm transB, alpha, beta",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {3, 4}, {1, 3},
                       {{"transB", int64_t{1}}, {"alpha", 0.5F}, {"beta", -2.0F}}, g);
     }},
    {"Gemm with a scalar C",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {4, 3}, {}, {}, g);
     }},
    {"Gemm with a column C",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {4, 3}, {1, 1}, {{"beta", 3.0F}}, g);
     }},
    {"Gemm transA",
     {4, 3},
     [](ValueId x, Graph* g) {
       // (3, 4)ᵀ by (4, 3): the batch is the second dimension, 3.
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4, 1}, g)});
       return g->AddNode("Gemm", "gemm", {a, Parameter("b", {4, 3}, g)},
                         {{"transA", int64_t{1}}, {"alpha", 2.0F}});
     }},
    {"Gemm transA and transB",
     {4, 3},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4, 1}, g)});
       return g->AddNode("Gemm", "gemm", {a, Parameter("b", {3, 4}, g)},
                         {{"transA", int64_t{1}}, {"transB", int64_t{1}}});
     }},
    {"Gemm with an activation",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {4, 3}, {3}, {{"activation", std::string("relu")}}, g);
     }},
    {"MatMul of matrices",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4}, g)});
       return g->AddNode("MatMul", "y", {a, Parameter("w", {4, 3}, g)});
     }},
    {"MatMul of a stack by a matrix",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {2, 4}, g)});
       return Flat(g->AddNode("MatMul", "y", {a, Parameter("w", {4, 3}, g)}), g);
     }},
    {"MatMul of a stack by a vector",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {2, 4}, g)});
       return g->AddNode("MatMul", "y", {a, Parameter("w", {4}, g)});
     }},
    {"MatMul of a vector by a matrix",
     {kBatch, 3},
     [](ValueId x, Graph* g) {
       const ValueId y =
           g->AddNode("MatMul", "y", {Parameter("v", {4}, g), Parameter("w", {4, 3}, g)});
       return g->AddNode("Add", "sum", {x, y});
     }},
    {"Conv",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       return Flat(Convolved(x, {3, 2, 3, 2}, {}, g), g);
     }},
    {"Conv, strided, padded, dilated",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       return Flat(
           Convolved(
               x, {3, 2, 2, 2},
               {{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 1, 2}}, {"dilations", Ints{1, 2}}}, g),
           g);
     }},
    {"Conv in groups, with an activation",
     {kBatch, 4, 3, 3},
     [](ValueId x, Graph* g) {
       return Flat(Convolved(x, {4, 2, 2, 2},
                             {{"group", int64_t{2}}, {"activation", std::string("relu")}}, g),
                   g);
     }},
    {"Conv after Conv",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       const ValueId first = Convolved(x, {3, 2, 2, 2}, {{"strides", Ints{2, 2}}}, g);
       return Flat(g->AddNode("Conv", "second", {first, Parameter("w2", {2, 3, 2, 2}, g)}), g);
     }},
    {"Add with broadcasting",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {Parameter("p", {2, 1}, g), x});
       const ValueId b = g->AddNode("Add", "b", {a, Parameter("q", {1, 1, 3}, g)});
       return Flat(g->AddNode("Add", "c", {b, Parameter("r", {}, g)}), g);
     }},
    // The gradients of p and q are one value, that of r is read by the rest of the backward pass.
    {"Add of parameters that have the batch's own shape",
     {3, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {3, 4}, g)});
       const ValueId b = g->AddNode("Add", "b", {a, Parameter("q", {3, 4}, g)});
       const ValueId y = g->AddNode("Gemm", "y", {b, Parameter("w", {4, 3}, g)});
       return g->AddNode("Add", "c", {y, Parameter("r", {3, 3}, g)});
     }},
    {"Add of a value to itself",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4}, g)});
       return g->AddNode("Add", "b", {a, a});
     }},
    {"Relu",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4}, g)});
       return g->AddNode("Relu", "relu", {a});
     }},
    {"MaxPool",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       return Pooled(x, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}, g);
     }},
    {"MaxPool, overlapping, padded, dilated",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       return Pooled(x,
                     {{"kernel_shape", Ints{3, 2}},
                      {"strides", Ints{1, 2}},
                      {"pads", Ints{1, 1, 2, 0}},
                      {"dilations", Ints{1, 2}}},
                     g);
     }},
    {"Reshape and Flatten",
     {kBatch, 2, 6},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {2, 6}, g)});
       const ValueId b = g->AddNode("Reshape", "b", {a}, {{"shape", Ints{-1, 3, 4}}});
       const ValueId c = g->AddNode("Add", "c", {b, Parameter("q", {3, 1}, g)});
       return Flat(c, g);
     }},
};

Graph WithLoss(Graph graph, float label_smoothing) {
  LossOptions options;
  options.label_smoothing = label_smoothing;
  REQUIRE(AttachLoss(options, &graph) == absl::OkStatus());
  REQUIRE(Differentiate(&graph) == absl::OkStatus());
  return graph;
}

TEST_CASE("every gradient rule agrees with finite differences", "[gradient]") {
  for (const RuleCase& rule : kRules) {
    INFO(rule.what);
    Graph graph;
    const ValueId x = graph.AddInput("input", kernels::DType::kFloat32, rule.input);
    graph.MarkOutput(kModelOutput, rule.build(x, &graph));
    const Graph training = WithLoss(std::move(graph), 0);
    for (uint64_t seed = 1; seed <= 3; ++seed) CheckGradients(training, 3, seed, 100);
  }
}

TEST_CASE("generated models agree with finite differences", "[gradient]") {
  for (uint64_t seed = 0; seed < 150; ++seed) {
    INFO("seed " << seed);
    CheckGradients(RandomTrainingGraph(seed, false), 1 + static_cast<int64_t>(seed % 3), seed, 12);
  }
}

TEST_CASE("the models of the zoo agree with finite differences", "[gradient]") {
  struct Model {
    const char* name;
    std::map<std::string, double> params;
  };
  const Model models[] = {
      {"mlp", {{"hidden1", 9}, {"hidden2", 7}, {"height", 4}, {"width", 5}, {"classes", 3}}},
      {"convnet", {{"height", 6}, {"width", 7}, {"channels", 2}, {"classes", 4}}},
  };
  for (const Model& model : models) {
    INFO(model.name);
    auto graph = zoo::BuildModel(model.name, model.params);
    REQUIRE(graph.status() == absl::OkStatus());
    CheckGradients(WithLoss(*std::move(graph), 0.1F), 2, 1, 15);
  }
}

}  // namespace
}  // namespace rm::graph
