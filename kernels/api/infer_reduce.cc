// ReduceSum.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {

// Without axes everything is summed; an axis counts from the end when it is negative.
absl::Status InferReduceSum(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
  const Shape& x = InputShape(*instance, 0);
  const std::vector<int64_t> axes = instance->attributes.Ints("axes", {});
  std::vector<bool> reduced(x.size(), axes.empty());
  for (int64_t axis : axes) {
    RM_ASSIGN_OR_RETURN(const int64_t i, NormalizeAxis(axis, x.size()));
    if (reduced[static_cast<size_t>(i)]) return Misfit("axis ", axis, " is named twice");
    reduced[static_cast<size_t>(i)] = true;
  }
  const bool keep = instance->attributes.Int("keepdims", 1) != 0;
  Shape y;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i]) y.push_back(x[i]);
    if (reduced[i] && keep) y.push_back(1);
  }
  SetOutput(instance, 0, std::move(y));
  return absl::OkStatus();
}

}  // namespace rm::kernels
