// What only training does: Adam's update, dropout, losses by element.
#include "kernels/api/testing.h"
#include "tests/parity/case_tools.h"

namespace rm::tests {
namespace {

using base::RandomStream;
using kernels::Operand;
using kernels::OpInstance;
using kernels::Shape;
using kernels::testing::Floats;
using kernels::testing::Int64s;

// Squares of gradients are not negative, and no weight moves by more than a few rates.
std::vector<KernelCase> AdamCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const int64_t count : {1, 15, 16, 1003, 40000}) {
    for (const Values& hyper :
         {Values{0.01F, 0.9F, 0.1F, 0.999F, 0.001F, 1e-8F, 0, 1, 0.03F, 1},
          Values{0.01F, 0.9F, 0.1F, 0.999F, 0.001F, 1e-8F, 0.1F, 1, 0.5F, 0.25F},
          Values{0.5F, 0, 1, 0, 1, 1e-3F, 0, 0.99F, 1, 1}}) {
      const Operand x = Floats({count});
      const OpInstance op{"AdamUpdate", {}, {x, x, x, x, Floats({10})}, {x, x, x}};
      std::vector<Values> inputs;
      for (int i = 0; i < 4; ++i) inputs.push_back(Uniform(random, {count}));
      for (float& square : inputs[3]) square = square * square + 0.01F;
      inputs.push_back(hyper);
      cases.push_back(Near(op, std::move(inputs), {4, 2}, 1));
    }
  }
  return cases;
}

// A mask is right to the bit or it is another one.
std::vector<KernelCase> DropoutCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  const Shape shapes[] = {{1, 1}, {5}, {3, 17}, {2, 3, 5, 7}, {9, 1000}, {64, 128}, {0, 4}};
  for (const Shape& shape : shapes) {
    for (const float ratio : {0.0F, 0.25F, 0.9F}) {
      const Operand x = Floats(shape);
      const OpInstance op{
          "DropoutTraining", {{"ratio", ratio}, {"stream", int64_t{77}}}, {x, Int64s({3})}, {x}};
      cases.push_back(Exact(op, {Uniform(random, shape), {3, 14, 159}}));
    }
  }
  return cases;
}

// In use, a copy.
std::vector<KernelCase> DropoutInUseCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : {Shape{1}, Shape{3, 17}, Shape{2, 3, 5, 7}}) {
    const Operand x = Floats(shape);
    cases.push_back(Exact({"Dropout", {{"ratio", 0.25F}}, {x}, {x}}, {Uniform(random, shape)}));
  }
  return cases;
}

// Outputs, targets in [0, 1] and weights of which some are 0; with `scale` behind them for a gradient.
KernelCase ElementLossCase(RandomStream& random, const char* op, const Shape& shape, bool gradient) {
  const Operand x = Floats(shape);
  OpInstance instance{op, {}, {x, x, Floats({shape[0]})}, {gradient ? x : Floats({1})}};
  std::vector<Values> inputs;
  for (const Operand& operand : instance.inputs) {
    inputs.push_back(Uniform(random, operand.type.shape));
  }
  for (float& target : inputs[1]) target = target * target;
  for (float& weight : inputs[2]) weight = weight < 0 ? 0 : weight;
  if (gradient) {
    instance.inputs.push_back(Floats({1}));
    inputs.push_back({0.125F});
  }
  return Near(instance, std::move(inputs), {static_cast<double>(kernels::ElementCount(shape)), 2},
              0.01F);
}

template <const char* kOp, bool kGradient>
std::vector<KernelCase> ElementLossCases(RandomStream& random) {
  std::vector<KernelCase> cases;
  for (const Shape& shape : {Shape{1}, Shape{33}, Shape{7, 5}, Shape{3, 4, 5}}) {
    cases.push_back(ElementLossCase(random, kOp, shape, kGradient));
  }
  return cases;
}

constexpr char kMse[] = "MeanSquaredError";
constexpr char kMseGrad[] = "MeanSquaredErrorGrad";
constexpr char kSigmoid[] = "SigmoidCrossEntropy";
constexpr char kSigmoidGrad[] = "SigmoidCrossEntropyGrad";

constexpr Generator kGenerators[] = {
    {"AdamUpdate", &AdamCases},
    {"Dropout", &DropoutInUseCases},
    {"DropoutTraining", &DropoutCases},
    {kMse, &ElementLossCases<kMse, false>},
    {kMseGrad, &ElementLossCases<kMseGrad, true>},
    {kSigmoid, &ElementLossCases<kSigmoid, false>},
    {kSigmoidGrad, &ElementLossCases<kSigmoidGrad, true>},
};

}  // namespace

Generators TrainingGenerators() { return kGenerators; }

}  // namespace rm::tests
