// Losses and their gradients.
#include "kernels/api/shapes.h"
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// Losses by element read output and targets again: the slope is a step of arithmetic away.
absl::Status DifferentiateByElement(const char* gradient_op, GradientContext* context) {
  context->SetInputGradient(
      0, context->Append(gradient_op, "dY", {context->input(0), context->input(1),
                                             context->input(2), context->output_gradient(0)},
                         context->input(0)));
  return absl::OkStatus();
}

}  // namespace

absl::Status DifferentiateMeanSquaredError(GradientContext* context) {
  return DifferentiateByElement("MeanSquaredErrorGrad", context);
}

absl::Status DifferentiateSigmoidCrossEntropy(GradientContext* context) {
  return DifferentiateByElement("SigmoidCrossEntropyGrad", context);
}

// The gradient that arrives is a scalar, the step's scale, and the kernel multiplies by it. The
// probabilities are kept from the forward pass rather than computed again from the logits.
absl::Status DifferentiateSoftmaxCrossEntropy(GradientContext* context) {
  if (context->output_gradient(1) != kNoValue) {
    return kernels::Misfit("the gradient of probabilities that are used elsewhere is not known");
  }
  context->SetInputGradient(0, context->Append("SoftmaxCrossEntropyGrad", "dlogits",
                                               {context->output(1), context->input(1),
                                                context->input(2), context->output_gradient(0)},
                                               context->input(0), context->attributes()));
  return absl::OkStatus();
}

}  // namespace rm::graph
