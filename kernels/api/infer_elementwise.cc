// Add, Relu and its gradient.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {

absl::Status InferAdd(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "A", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "B", DType::kFloat32));
  RM_ASSIGN_OR_RETURN(Shape y, Broadcast(InputShape(*instance, 0), InputShape(*instance, 1)));
  SetOutput(instance, 0, std::move(y));
  return absl::OkStatus();
}

absl::Status InferRelu(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
  SetOutput(instance, 0, InputShape(*instance, 0));
  return absl::OkStatus();
}

absl::Status InferReluGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "dY", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "Y", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireShape("dY", InputShape(*instance, 0), InputShape(*instance, 1)));
  SetOutput(instance, 0, InputShape(*instance, 1));
  return absl::OkStatus();
}

}  // namespace rm::kernels
