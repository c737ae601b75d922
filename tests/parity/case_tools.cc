#include "tests/parity/case_tools.h"

#include <utility>

namespace rm::tests {

using base::RandomStream;
using kernels::ElementCount;
using kernels::Operand;
using kernels::OpInstance;
using kernels::Shape;

Values Uniform(RandomStream& random, const Shape& shape) {
  Values values(static_cast<size_t>(ElementCount(shape)));
  for (float& value : values) value = 2 * random.NextUniform() - 1;
  return values;
}

// Nine numbers a quarter apart: no rounding in their sums, and many are equal.
Values Coarse(RandomStream& random, const Shape& shape) {
  Values values(static_cast<size_t>(ElementCount(shape)));
  for (float& value : values) value = static_cast<float>(random.NextBelow(9)) / 4 - 1;
  return values;
}

int64_t Pick(RandomStream& random, const Ints& choices) {
  return choices[random.NextBelow(choices.size())];
}

// CasesOf turns the magnitudes into absolute values.
KernelCase Linear(RandomStream& random, const OpInstance& instance, double terms,
                  double slack) {
  KernelCase result{instance, {}, {terms, slack}, {}, false};
  for (const Operand& input : instance.inputs) {
    result.inputs.push_back(input.present ? Uniform(random, input.type.shape) : Values());
  }
  result.magnitude_inputs = result.inputs;
  return result;
}

KernelCase Exact(const OpInstance& instance, std::vector<Values> inputs) {
  return {instance, std::move(inputs), {}, {}, false};
}

KernelCase Near(const OpInstance& instance, std::vector<Values> inputs, Tolerance tolerance,
                float least) {
  KernelCase result{instance, std::move(inputs), tolerance, {}, false};
  result.magnitude_least = least;
  return result;
}

}  // namespace rm::tests
