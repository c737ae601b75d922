// The optimizers' updates, over whole buckets.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {

// A bucket's shape is one number; any shape is as good.
absl::Status InferSgdUpdate(OpInstance* instance) {
  const Shape& w = InputShape(*instance, 0);
  for (size_t i = 0; i < 3; ++i) {
    RM_RETURN_IF_ERROR(RequireType(*instance, i, i == 0 ? "w" : i == 1 ? "g" : "m", DType::kFloat32));
  }
  RM_RETURN_IF_ERROR(RequireShape("g", InputShape(*instance, 1), w));
  RM_RETURN_IF_ERROR(RequireShape("m", InputShape(*instance, 2), w));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 3, "hyper", 1));
  RM_RETURN_IF_ERROR(RequireShape("hyper", InputShape(*instance, 3), {4}));
  SetOutput(instance, 0, w);
  SetOutput(instance, 1, w);
  return absl::OkStatus();
}

}  // namespace rm::kernels
