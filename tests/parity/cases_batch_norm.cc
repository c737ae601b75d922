// BatchNormalization, its training form and gradient.
#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Attributes;
using kernels::ElementCount;
using kernels::Operand;
using kernels::OpInstance;
using kernels::Shape;
using kernels::testing::Floats;

// Images, matrices and signals; channels that do and do not fill blocks.
const Shape kShapes[] = {{2, 1, 1, 1}, {3, 5},       {64, 33},     {2, 3, 7},      {2, 16, 5, 3},
                         {3, 20, 4, 4}, {1, 8, 9, 7}, {2, 9, 12, 13}, {4, 32, 2, 2}};

const std::string kRelu = "relu";

std::vector<Values> Draw(RandomStream& random, const std::vector<Operand>& operands) {
  std::vector<Values> inputs;
  for (const Operand& operand : operands) {
    inputs.push_back(operand.present ? Uniform(random, operand.type.shape) : Values());
  }
  return inputs;
}

Operand ChannelsOf(const Shape& shape) { return Floats({shape[1]}); }

std::vector<KernelCase> BatchNormCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : kShapes) {
    const Operand x = Floats(shape);
    const Operand c = ChannelsOf(shape);
    for (const Attributes& attributes :
         {Attributes{{"epsilon", 1e-3F}}, Attributes{{"activation", kRelu}}}) {
      const OpInstance op{"BatchNormalization", attributes, {x, c, c, c, c}, {x}};
      std::vector<Values> inputs = Draw(random, op.inputs);
      for (float& variance : inputs[4]) variance += 1.25F;
      cases.push_back(Near(op, inputs, {4, 2}, 1));
    }
  }
  return cases;
}

// With a mean beside which deviations are not small, so that its rounding stays one.
std::vector<KernelCase> BatchNormTrainingCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : kShapes) {
    const Operand x = Floats(shape);
    const Operand c = ChannelsOf(shape);
    // A deviation near 0 would blow up the rounding of the mean.
    const Attributes attributes{{"epsilon", 0.01F}};
    OpInstance op{"BatchNormTraining", attributes, {x, c, c}, {x, c, c, c}};
    const auto terms = static_cast<double>(ElementCount(shape) / shape[1]);
    std::vector<Values> inputs = Draw(random, op.inputs);
    for (float& value : inputs[0]) value += 0.5F;
    cases.push_back(Near(op, inputs, {terms, 4}, 1));
    op.outputs.resize(1);
    op.inputs.push_back(x);
    op.attributes.Set("activation", kRelu);
    cases.push_back(Near(op, Draw(random, op.inputs), {terms, 4}, 1));
  }
  return cases;
}

std::vector<KernelCase> BatchNormGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : kShapes) {
    const Operand x = Floats(shape);
    const Operand c = ChannelsOf(shape);
    OpInstance op{"BatchNormGrad", {}, {x, x, c, c, c}, {x, c, c}};
    const auto terms = static_cast<double>(ElementCount(shape) / shape[1]);
    for (const bool relu : {false, true}) {
      if (relu) {
        op.inputs.push_back(x);
        op.attributes.Set("activation", kRelu);
        op.outputs.resize(1);
      }
      std::vector<Values> inputs = Draw(random, op.inputs);
      for (float& inverse : inputs[4]) inverse += 1.5F;
      cases.push_back(Near(op, inputs, {terms, 8}, 1));
    }
  }
  return cases;
}

constexpr Generator kGenerators[] = {
    {"BatchNormGrad", &BatchNormGradCases},
    {"BatchNormTraining", &BatchNormTrainingCases},
    {"BatchNormalization", &BatchNormCases},
};

}  // namespace

Generators BatchNormGenerators() { return kGenerators; }

}  // namespace rm::tests
