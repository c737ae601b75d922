// DropoutTraining is linear in X, and its own gradient: the same counters make the same mask.
#include "runtime/graph/ops/rules.h"

namespace rm::graph {

// Nothing of the forward pass is kept for it.
absl::Status DifferentiateDropoutTraining(GradientContext* context) {
  context->SetInputGradient(
      0, context->Append("DropoutTraining", "dX",
                         {context->output_gradient(0), context->input(1)}, context->input(0),
                         context->attributes()));
  return absl::OkStatus();
}

}  // namespace rm::graph
