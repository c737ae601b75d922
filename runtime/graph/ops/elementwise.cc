// Add, Relu and its gradient.
#include "runtime/graph/ops/rules.h"

namespace rm::graph {

// The gradient goes to both operands as it is: no node where nothing was broadcast.
absl::Status DifferentiateAdd(GradientContext* context) {
  const ValueId dy = context->output_gradient(0);
  if (context->wants(0)) context->SetInputGradient(0, context->SumTo(dy, context->input(0), "dA"));
  if (context->wants(1)) context->SetInputGradient(1, context->SumTo(dy, context->input(1), "dB"));
  return absl::OkStatus();
}

// By the result, not the operand: the operand's memory is free after the forward pass.
absl::Status DifferentiateRelu(GradientContext* context) {
  context->SetInputGradient(
      0, context->Append("ReluGrad", "dX", {context->output_gradient(0), context->output(0)},
                         context->input(0)));
  return absl::OkStatus();
}

}  // namespace rm::graph
