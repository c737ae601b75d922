// Pools of images.
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// An average is linear: its gradient needs dY alone.
absl::Status DifferentiateAverage(const char* op, GradientContext* context) {
  context->SetInputGradient(0, context->Append(op, "dX", {context->output_gradient(0)},
                                               context->input(0), context->attributes()));
  return absl::OkStatus();
}

}  // namespace

absl::Status DifferentiateAveragePool(GradientContext* context) {
  return DifferentiateAverage("AveragePoolGrad", context);
}

absl::Status DifferentiateGlobalAveragePool(GradientContext* context) {
  return DifferentiateAverage("GlobalAveragePoolGrad", context);
}

// The forward node learns to report where in each window it found the maximum: one byte an element
// of Y, instead of keeping all of X for the backward pass.
absl::Status DifferentiateMaxPool(GradientContext* context) {
  ValueId window_index = context->output(1);
  if (window_index == kNoValue) window_index = context->AppendForwardOutput();
  context->SetInputGradient(
      0, context->Append("MaxPoolGrad", "dX", {context->output_gradient(0), window_index},
                         context->input(0), context->attributes()));
  return absl::OkStatus();
}

}  // namespace rm::graph
