// Softmax, LogSoftmax and LayerNormalization.
#include <vector>

#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// By the result, not the operand: the operand's memory is free after the forward pass.
absl::Status DifferentiateByResult(const char* op, GradientContext* context) {
  context->SetInputGradient(
      0, context->Append(op, "dX", {context->output_gradient(0), context->output(0)},
                         context->input(0), context->attributes()));
  return absl::OkStatus();
}

}  // namespace

absl::Status DifferentiateSoftmax(GradientContext* context) {
  return DifferentiateByResult("SoftmaxGrad", context);
}

absl::Status DifferentiateLogSoftmax(GradientContext* context) {
  return DifferentiateByResult("LogSoftmaxGrad", context);
}

// The forward node learns to report the statistics of its rows, two numbers a row, and one node
// gives all gradients, as all of them walk through X and dY. Gradients of the statistics
// themselves, which ONNX lets a model read, are not known: nobody trains through them.
absl::Status DifferentiateLayerNormalization(GradientContext* context) {
  const ValueId x = context->input(0);
  const ValueId scale = context->input(1);
  const ValueId bias = context->input(2);
  ValueId mean = context->output(1);
  ValueId inv_std = context->output(2);
  if (mean == kNoValue) mean = context->AppendForwardOutput();
  if (inv_std == kNoValue) inv_std = context->AppendForwardOutput();
  std::vector<ValueId> likes = {x};
  if (context->wants(1) || context->wants(2)) likes.push_back(scale);
  if (context->wants(2)) likes.push_back(bias);
  const std::vector<ValueId> gradients =
      context->AppendMany("LayerNormGrad", "dX",
                          {context->output_gradient(0), x, scale, mean, inv_std}, likes,
                          context->attributes());
  if (context->wants(1)) context->SetInputGradient(1, gradients[1]);
  if (context->wants(2)) context->SetInputGradient(2, gradients[2]);
  if (context->wants(0)) context->SetInputGradient(0, gradients[0]);
  return absl::OkStatus();
}

}  // namespace rm::graph
