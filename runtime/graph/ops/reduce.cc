// ReduceSum, ReduceMean and ReduceMax.
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// Every term has the gradient of its sum; that of a mean is divided by the number of terms.
absl::Status DifferentiateTerms(const char* op, GradientContext* context) {
  context->SetInputGradient(0, context->Append(op, "dX", {context->output_gradient(0)},
                                               context->input(0), context->attributes()));
  return absl::OkStatus();
}

}  // namespace

absl::Status DifferentiateReduceMean(GradientContext* context) {
  return DifferentiateTerms("ReduceMeanGrad", context);
}

absl::Status DifferentiateReduceSum(GradientContext* context) {
  return DifferentiateTerms("ReduceSumGrad", context);
}

// Composed of comparisons, so that no index has to be kept from the forward pass: X and Y are there anyhow.
// The gradient goes to every element that is the largest of its line, in equal shares, as PyTorch's
// amax has it. Without keepdims dY and Y are given back the dimensions they lost.
absl::Status DifferentiateReduceMax(GradientContext* context) {
  const ValueId x = context->input(0);
  kernels::Attributes kept = context->attributes();
  kept.Set("keepdims", int64_t{1});
  ValueId y = context->output(0);
  ValueId dy = context->output_gradient(0);
  if (context->attributes().Int("keepdims", 1) == 0) {
    y = context->Append("ReduceMax", "y", {x}, kNoValue, kept);
    dy = context->Append("Reshape", "dY", {dy}, y);
  }
  const ValueId equal = context->Append("Equal", "equal", {x, y}, kNoValue);
  const ValueId chosen = context->Append("Cast", "chosen", {equal}, x,
                                         {{"to", std::string("float32")}});
  const ValueId number = context->Append("ReduceSum", "number", {chosen}, y, kept);
  const ValueId share = context->Append("Div", "share", {dy, number}, y);
  context->SetInputGradient(0, context->Append("Mul", "dX", {chosen, share}, x));
  return absl::OkStatus();
}

}  // namespace rm::graph
