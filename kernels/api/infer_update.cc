// The optimizers' updates, over whole buckets.
#include "absl/types/span.h"
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// `names` are tensors of one shape, the first of them the weights; behind them stand `numbers` numbers. All but the gradient (input
// 1) come out again.
absl::Status InferUpdate(absl::Span<const absl::string_view> names, int64_t numbers,
                         OpInstance* instance) {
  const Shape w = InputShape(*instance, 0);
  for (size_t i = 0; i < names.size(); ++i) {
    RM_RETURN_IF_ERROR(RequireType(*instance, i, names[i], DType::kFloat32));
    RM_RETURN_IF_ERROR(RequireShape(names[i], InputShape(*instance, i), w));
  }
  RM_RETURN_IF_ERROR(RequireFloat(*instance, names.size(), "hyper", 1));
  RM_RETURN_IF_ERROR(RequireShape("hyper", InputShape(*instance, names.size()), {numbers}));
  for (size_t i = 0; i + 1 < names.size(); ++i) SetOutput(instance, i, w);
  return absl::OkStatus();
}

}  // namespace

// A bucket's shape is one number; any shape is as good.
absl::Status InferSgdUpdate(OpInstance* instance) {
  return InferUpdate({"w", "g", "m"}, 5, instance);
}

absl::Status InferAdamUpdate(OpInstance* instance) {
  return InferUpdate({"w", "g", "m", "v"}, 10, instance);
}

}  // namespace rm::kernels
