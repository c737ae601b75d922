// MaxPool and its gradient, 2-D.
#include "runtime/graph/ops/rules.h"

namespace rm::graph {

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
