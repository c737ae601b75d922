// Softmax, LayerNormalization and their gradients.
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::ElementCount;
using kernels::Operand;
using kernels::OpInstance;
using kernels::Shape;
using kernels::testing::Floats;

// --- Softmax ---

struct Line {
  Shape shape;
  int64_t axis;
};

const Line kLines[] = {{{1}, 0},        {{3, 2}, -1},    {{5, 7}, 1},        {{4, 16}, -1},
                       {{3, 33}, -1},   {{2, 3, 64}, 2}, {{100, 65}, 1},     {{2, 1000}, -1},
                       {{5, 7}, 0},     {{2, 3, 4}, 1},  {{2, 4, 5, 9}, 1},  {{2, 4, 5, 9}, 3},
                       {{0, 4}, 1}};

// Normal, times 4: differences of about 16 within a line.
Values Logits(RandomStream& random, const Shape& shape) {
  Values values(static_cast<size_t>(ElementCount(shape)));
  for (float& value : values) value = 4 * random.NextNormal();
  return values;
}

std::vector<KernelCase> SoftmaxCases(RandomStream& random, const std::string& op) {
  // A logarithm is the difference of two numbers of about 1, however small it is itself.
  const float least = op == "LogSoftmax" ? 1 : 1e-3F;
  std::vector<KernelCase> cases;
  for (const Line& line : kLines) {
    const OpInstance instance{
        op, {{"axis", line.axis}}, {Floats(line.shape)}, {Floats(line.shape)}};
    // The exponential of a difference of 16 is good to about 16 roundings of the difference.
    cases.push_back(Near(instance, {Logits(random, line.shape)}, {16, 4}, least));
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const OpInstance masked{op, {}, {Floats({2, 20})}, {Floats({2, 20})}};
  Values x = Logits(random, {2, 20});
  for (size_t i = 5; i < 20; ++i) x[i] = -kInfinity;
  for (size_t i = 20; i < 40; ++i) x[i] = -kInfinity;  // nothing is left of this row
  cases.push_back(Near(masked, {x}, {16, 4}, least));
  return cases;
}

std::vector<KernelCase> SoftmaxGradCases(RandomStream& random, const std::string& op) {
  const bool logarithm = op == "LogSoftmaxGrad";
  std::vector<KernelCase> cases;
  for (const Line& line : kLines) {
    const Operand x = Floats(line.shape);
    Values y = Logits(random, line.shape);
    // Probabilities, or their logarithms, of about one line; they need not sum to one exactly.
    for (float& value : y) value = logarithm ? -std::abs(value) : std::exp(value) / 100;
    const auto terms = static_cast<double>(ElementCount(line.shape));
    const OpInstance instance{op, {{"axis", line.axis}}, {x, x}, {x}};
    cases.push_back(Near(instance, {Uniform(random, line.shape), y}, {terms, 4}, 1));
  }
  return cases;
}

std::vector<KernelCase> SoftmaxOf(RandomStream& random) { return SoftmaxCases(random, "Softmax"); }
std::vector<KernelCase> LogSoftmaxOf(RandomStream& random) {
  return SoftmaxCases(random, "LogSoftmax");
}
std::vector<KernelCase> SoftmaxGradOf(RandomStream& random) {
  return SoftmaxGradCases(random, "SoftmaxGrad");
}
std::vector<KernelCase> LogSoftmaxGradOf(RandomStream& random) {
  return SoftmaxGradCases(random, "LogSoftmaxGrad");
}

// --- Layer norm ---

const Line kRows[] = {{{1, 1}, -1},    {{3, 2}, 1},       {{5, 7}, -1},    {{4, 16}, -1},
                      {{3, 33}, 1},    {{200, 40}, -1},   {{2, 3, 64}, 2}, {{2, 3, 64}, 1},
                      {{2, 3, 4, 5}, 2}, {{70, 128}, -1}, {{2, 1000}, -1}, {{0, 4}, 1}};

struct LayerNormShapes {
  Shape x, row, statistics;
};

LayerNormShapes ShapesOf(const Line& line) {
  const auto rank = static_cast<int64_t>(line.shape.size());
  const int64_t axis = line.axis < 0 ? line.axis + rank : line.axis;
  LayerNormShapes shapes{line.shape, Shape(line.shape.begin() + axis, line.shape.end()),
                         line.shape};
  for (int64_t i = axis; i < rank; ++i) shapes.statistics[static_cast<size_t>(i)] = 1;
  return shapes;
}

std::vector<KernelCase> LayerNormCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Line& line : kRows) {
    const LayerNormShapes s = ShapesOf(line);
    OpInstance op{"LayerNormalization",
                  {{"axis", line.axis}, {"epsilon", 1e-3F}},
                  {Floats(s.x), Floats(s.row), Floats(s.row)},
                  {Floats(s.x), Floats(s.statistics), Floats(s.statistics)}};
    const auto terms = static_cast<double>(ElementCount(s.row));
    const auto inputs = [&] {
      return std::vector<Values>{Uniform(random, s.x), Uniform(random, s.row),
                                 Uniform(random, s.row)};
    };
    // A rounding of the mean grows with the inverse deviation, which is about 2, at most 30.
    cases.push_back(Near(op, inputs(), {terms, 16}, 1));
    op.inputs.pop_back();
    op.outputs.resize(1);
    std::vector<Values> two = inputs();
    two.pop_back();
    cases.push_back(Near(op, two, {terms, 16}, 1));
  }
  return cases;
}

std::vector<KernelCase> LayerNormGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Line& line : kRows) {
    const LayerNormShapes s = ShapesOf(line);
    OpInstance op{"LayerNormGrad",
                  {{"axis", line.axis}},
                  {Floats(s.x), Floats(s.x), Floats(s.row), Floats(s.statistics),
                   Floats(s.statistics)},
                  {Floats(s.x), Floats(s.row), Floats(s.row)}};
    std::vector<Values> inputs;
    for (const Operand& operand : op.inputs) {
      inputs.push_back(Uniform(random, operand.type.shape));
    }
    for (float& inv_std : inputs[4]) inv_std += 2;
    const auto terms = static_cast<double>(ElementCount(s.x));
    cases.push_back(Near(op, inputs, {terms, 8}, 1));
    op.outputs.resize(1);
    cases.push_back(Near(op, inputs, {terms, 8}, 1));
  }
  return cases;
}

constexpr Generator kGenerators[] = {
    {"LayerNormGrad", &LayerNormGradCases},
    {"LayerNormalization", &LayerNormCases},
    {"LogSoftmax", &LogSoftmaxOf},
    {"LogSoftmaxGrad", &LogSoftmaxGradOf},
    {"Softmax", &SoftmaxOf},
    {"SoftmaxGrad", &SoftmaxGradOf},
};

}  // namespace

Generators NormalizeGenerators() { return kGenerators; }

}  // namespace rm::tests
