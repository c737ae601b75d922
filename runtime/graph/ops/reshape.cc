// The gradient of views: Flatten and Reshape.
#include "runtime/graph/ops/rules.h"

namespace rm::graph {

// Back to the operand's shape: a view again.
absl::Status DifferentiateView(GradientContext* context) {
  context->SetInputGradient(
      0, context->Append("Reshape", "dX", {context->output_gradient(0)}, context->input(0)));
  return absl::OkStatus();
}

}  // namespace rm::graph
