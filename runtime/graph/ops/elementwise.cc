// Add, Relu and its gradient.
#include <utility>

#include "base/status.h"
#include "runtime/graph/ops/rules.h"
#include "runtime/graph/ops/shapes.h"

namespace rm::graph {

using kernels::DType;
using kernels::OpInstance;
using kernels::Shape;

absl::Status InferAdd(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "A", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "B", DType::kFloat32));
  RM_ASSIGN_OR_RETURN(Shape y, Broadcast(InputShape(*instance, 0), InputShape(*instance, 1)));
  SetOutput(instance, 0, std::move(y));
  return absl::OkStatus();
}

// The gradient goes to both operands as it is: no node where nothing was broadcast.
absl::Status DifferentiateAdd(GradientContext* context) {
  const ValueId dy = context->output_gradient(0);
  if (context->wants(0)) context->SetInputGradient(0, context->SumTo(dy, context->input(0), "dA"));
  if (context->wants(1)) context->SetInputGradient(1, context->SumTo(dy, context->input(1), "dB"));
  return absl::OkStatus();
}

absl::Status InferRelu(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
  SetOutput(instance, 0, InputShape(*instance, 0));
  return absl::OkStatus();
}

// By the result, not the operand: the operand's memory is free after the forward pass.
absl::Status DifferentiateRelu(GradientContext* context) {
  context->SetInputGradient(
      0, context->Append("ReluGrad", "dX", {context->output_gradient(0), context->output(0)},
                         context->input(0)));
  return absl::OkStatus();
}

absl::Status InferReluGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "dY", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "Y", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireShape("dY", InputShape(*instance, 0), InputShape(*instance, 1)));
  SetOutput(instance, 0, InputShape(*instance, 1));
  return absl::OkStatus();
}

}  // namespace rm::graph
