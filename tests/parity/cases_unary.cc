// Functions of one tensor and their gradients.
//
// The reference rounds once, so a fast kernel has the whole tolerance to itself: 2 or 3 units in
// the last place. Where a function is a difference of nearly equal numbers (Gelu far below 0), the
// error is judged by the size of those, which is that of the function above 0.
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Attributes;
using kernels::ElementCount;
using kernels::OpInstance;
using kernels::Shape;
using kernels::testing::Floats;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Nothing, one element, odd images, more than a thread's share.
const Shape kShapes[] = {{0},          {},           {1},       {17},
                         {3, 5, 7},    {2, 16, 3, 3}, {2, 3, 5, 5}, {40000}};

// Of all sizes: of about 1, small, and large enough for every function to be flat.
Values Wide(RandomStream& random, const Shape& shape) {
  Values values(static_cast<size_t>(ElementCount(shape)));
  for (size_t i = 0; i < values.size(); ++i) {
    const float scales[] = {1, 4, 1e-3F, 30};
    values[i] = scales[i % 4] * random.NextNormal();
  }
  return values;
}

Values Positive(RandomStream& random, const Shape& shape) {
  Values values = Wide(random, shape);
  for (float& value : values) value = std::abs(value) + 1e-6F;
  return values;
}

// What a function answers where arithmetic ends.
const Values kEdges{0, -0.0F, 1, -1, 3, -3, 100, -100, kInfinity, -kInfinity};

constexpr Tolerance kFewRoundings{1, 1};  // 6 of them: 3 units in the last place

std::vector<KernelCase> FunctionCases(RandomStream& random, const std::string& op,
                                      const Attributes& attributes = {}, bool positive = false) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : kShapes) {
    const Values x = positive ? Positive(random, shape) : Wide(random, shape);
    const OpInstance instance{op, attributes, {Floats(shape)}, {Floats(shape)}};
    cases.push_back(Near(instance, {x}, kFewRoundings, 0));
  }
  const Shape edges{static_cast<int64_t>(kEdges.size())};
  const OpInstance instance{op, attributes, {Floats(edges)}, {Floats(edges)}};
  cases.push_back(Near(instance, {kEdges}, kFewRoundings, 0));
  return cases;
}

// As FunctionCases, for a function whose terms cancel below 0 as they do not above.
std::vector<KernelCase> CancellingCases(RandomStream& random, const std::string& op,
                                        const Attributes& attributes) {
  std::vector<KernelCase> cases = FunctionCases(random, op, attributes);
  cases.pop_back();  // edges: −∞ · 0 is nothing to be judged
  for (KernelCase& each : cases) each.magnitude_inputs = each.inputs;
  return cases;
}

std::vector<KernelCase> GeluCases(RandomStream& random) {
  std::vector<KernelCase> cases = CancellingCases(random, "Gelu", {});
  for (KernelCase& each :
       CancellingCases(random, "Gelu", {{"approximate", std::string("tanh")}})) {
    cases.push_back(std::move(each));
  }
  return cases;
}

// `operand` is X, or Y of a function whose slope is told from it.
std::vector<KernelCase> SlopeCases(RandomStream& random, const std::string& op,
                                   const Attributes& attributes,
                                   Values (*operand)(RandomStream&, const Shape&)) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : kShapes) {
    const OpInstance instance{op, attributes, {Floats(shape), Floats(shape)}, {Floats(shape)}};
    const Values dy = Uniform(random, shape);
    cases.push_back(Near(instance, {dy, operand(random, shape)}, kFewRoundings, 0));
  }
  return cases;
}

// Results of Sigmoid and of HardSigmoid.
Values Shares(RandomStream& random, const Shape& shape) {
  Values values = Wide(random, shape);
  for (float& value : values) value = 1 / (1 + std::exp(-value));
  return values;
}

Values Tanhs(RandomStream& random, const Shape& shape) {
  Values values = Wide(random, shape);
  for (float& value : values) value = std::tanh(value);
  return values;
}

// The slope is a sum of two terms; each is at most as large as the sum is for |x|.
std::vector<KernelCase> GeluGradCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const std::string form : {"none", "tanh"}) {
    for (KernelCase& each : SlopeCases(random, "GeluGrad", {{"approximate", form}}, &Wide)) {
      each.magnitude_inputs = each.inputs;
      cases.push_back(std::move(each));
    }
  }
  return cases;
}

// Abs and Neg, of whole numbers too.
std::vector<KernelCase> SignedCases(RandomStream& random, const std::string& op) {
  std::vector<KernelCase> cases = FunctionCases(random, op);
  for (const kernels::DType dtype : {kernels::DType::kInt64, kernels::DType::kInt32}) {
    const kernels::Operand x{kernels::TensorType{dtype, {33}}, true};
    Values values = Coarse(random, {33});
    for (float& value : values) value *= 4;
    cases.push_back(Exact({op, {}, {x}, {x}}, {values}));
  }
  return cases;
}

using Random = RandomStream;
using Cases = std::vector<KernelCase>;

constexpr char kAlpha[] = "alpha";

// One line an operator: which operands it gets.
const Generator kGenerators[] = {
    {"Abs", [](Random& r) { return SignedCases(r, "Abs"); }},
    {"AbsGrad", [](Random& r) { return SlopeCases(r, "AbsGrad", {}, &Coarse); }},
    {"Clip",
     [](Random& r) {
       return FunctionCases(r, "Clip", {{"min", -1.0F}, {"max", 2.0F}});
     }},
    {"ClipGrad",
     [](Random& r) {
       return SlopeCases(r, "ClipGrad", {{"min", -0.25F}, {"max", 0.5F}}, &Coarse);
     }},
    {"Cos", [](Random& r) { return FunctionCases(r, "Cos"); }},
    {"Elu", [](Random& r) { return FunctionCases(r, "Elu", {{kAlpha, 0.75F}}); }},
    {"EluGrad", [](Random& r) { return SlopeCases(r, "EluGrad", {{kAlpha, 0.75F}}, &Wide); }},
    {"Erf", [](Random& r) { return FunctionCases(r, "Erf"); }},
    {"ErfGrad", [](Random& r) { return SlopeCases(r, "ErfGrad", {}, &Uniform); }},
    {"Exp", [](Random& r) { return FunctionCases(r, "Exp"); }},
    {"Gelu", &GeluCases},
    {"GeluGrad", &GeluGradCases},
    {"HardSigmoid",
     [](Random& r) {
       return FunctionCases(r, "HardSigmoid", {{kAlpha, 0.25F}});
     }},
    {"HardSigmoidGrad",
     [](Random& r) {
       return SlopeCases(r, "HardSigmoidGrad", {{kAlpha, 0.25F}}, &Shares);
     }},
    {"HardSwish", [](Random& r) { return CancellingCases(r, "HardSwish", {}); }},
    {"HardSwishGrad",
     [](Random& r) {
       Cases cases = SlopeCases(r, "HardSwishGrad", {}, &Wide);
       for (KernelCase& each : cases) each.magnitude_inputs = each.inputs;
       return cases;
     }},
    {"LeakyRelu", [](Random& r) { return FunctionCases(r, "LeakyRelu", {{kAlpha, 0.125F}}); }},
    {"LeakyReluGrad",
     [](Random& r) {
       return SlopeCases(r, "LeakyReluGrad", {{kAlpha, 0.125F}}, &Coarse);
     }},
    {"Log", [](Random& r) { return FunctionCases(r, "Log", {}, true); }},
    {"Neg", [](Random& r) { return SignedCases(r, "Neg"); }},
    {"Reciprocal", [](Random& r) { return FunctionCases(r, "Reciprocal"); }},
    {"ReciprocalGrad", [](Random& r) { return SlopeCases(r, "ReciprocalGrad", {}, &Wide); }},
    {"Sigmoid", [](Random& r) { return FunctionCases(r, "Sigmoid"); }},
    {"SigmoidGrad", [](Random& r) { return SlopeCases(r, "SigmoidGrad", {}, &Shares); }},
    {"Sin", [](Random& r) { return FunctionCases(r, "Sin"); }},
    {"Sqrt", [](Random& r) { return FunctionCases(r, "Sqrt", {}, true); }},
    {"SqrtGrad", [](Random& r) { return SlopeCases(r, "SqrtGrad", {}, &Positive); }},
    {"Tanh", [](Random& r) { return FunctionCases(r, "Tanh"); }},
    {"TanhGrad", [](Random& r) { return SlopeCases(r, "TanhGrad", {}, &Tanhs); }},
};

}  // namespace

Generators UnaryGenerators() { return kGenerators; }

}  // namespace rm::tests
