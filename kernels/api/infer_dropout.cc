// Dropout in use and in training.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {

// A copy, but a ratio that training could not have is found here already.
absl::Status InferDropout(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
  const float ratio = instance->attributes.Float("ratio", 0.5F);
  if (!(ratio >= 0 && ratio < 1)) return Misfit("ratio ", ratio, " is not in [0, 1)");
  SetOutput(instance, 0, InputShape(*instance, 0));
  return absl::OkStatus();
}

absl::Status InferDropoutTraining(OpInstance* instance) {
  RM_RETURN_IF_ERROR(InferDropout(instance));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "counters", DType::kInt64));
  RM_RETURN_IF_ERROR(RequireShape("counters", InputShape(*instance, 1), {3}));
  const Shape& x = InputShape(*instance, 0);
  if (x.empty()) return Misfit("X has no first dimension that would count samples");
  constexpr int64_t kElementsMax = int64_t{1} << 32;
  if (Product(x, 1, x.size()) > kElementsMax) return Misfit("a sample has more than 2^32 elements");
  return absl::OkStatus();
}

}  // namespace rm::kernels
