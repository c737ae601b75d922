// Conv and its two gradients, and ConvTranspose, 2-D.
#include <vector>

#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

// Gradients are those of the convolution itself; an activation's is taken before.
Attributes WithoutActivation(Attributes attributes) {
  attributes.Remove("activation");
  return attributes;
}

}  // namespace

// One node gives the gradients of weights and bias, as both walk through the same dY. When the bias
// alone is trained the weights' gradient is computed beside it and dropped.
absl::Status DifferentiateConv(GradientContext* context) {
  const ValueId x = context->input(0);
  const ValueId w = context->input(1);
  const ValueId b = context->input(2);
  const Attributes attributes = WithoutActivation(context->attributes());
  const ValueId dy = context->BeforeActivation();
  if (context->wants(1) || context->wants(2)) {
    std::vector<ValueId> likes = {w};
    if (context->wants(2)) likes.push_back(b);
    const std::vector<ValueId> gradients =
        context->AppendMany("ConvGradWeight", "dW", {x, dy}, likes, attributes);
    if (context->wants(1)) context->SetInputGradient(1, gradients[0]);
    if (context->wants(2)) context->SetInputGradient(2, gradients[1]);
  }
  if (context->wants(0)) {
    context->SetInputGradient(0, context->Append("ConvGradInput", "dX", {dy, w}, x, attributes));
  }
  return absl::OkStatus();
}

// A transposed convolution is a convolution's gradient, so that its own gradients are a convolution and
// the gradient of that one's weights, with dY in the place of the image.
absl::Status DifferentiateConvTranspose(GradientContext* context) {
  const ValueId x = context->input(0);
  const ValueId w = context->input(1);
  const ValueId dy = context->output_gradient(0);
  Attributes attributes = context->attributes();
  attributes.Remove("output_padding");
  if (context->wants(1)) {
    context->SetInputGradient(1, context->Append("ConvGradWeight", "dW", {dy, x}, w, attributes));
  }
  if (context->wants(0)) {
    context->SetInputGradient(0, context->Append("Conv", "dX", {dy, w}, x, attributes));
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
