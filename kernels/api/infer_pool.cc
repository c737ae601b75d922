// MaxPool and its gradient, 2-D.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// WindowIndex counts the places of a window in a byte.
constexpr int64_t kWindowElementsMax = 256;

// Whether each of `outputs` windows along one axis holds a place inside the input: a window in the
// padding alone has no maximum.
bool WindowsMeetInput(int64_t outputs, int64_t kernel, int64_t stride, int64_t dilation,
                      int64_t pad, int64_t input) {
  for (int64_t o = 0; o < outputs; ++o) {
    bool met = false;
    for (int64_t k = 0; k < kernel && !met; ++k) {
      const int64_t place = o * stride - pad + k * dilation;
      met = place >= 0 && place < input;
    }
    if (!met) return false;
  }
  return true;
}

// The shape of Y for images X (N, C, H, W).
absl::StatusOr<Shape> PoolOutput(const Attributes& attributes, const Shape& x) {
  if (!attributes.Has("kernel_shape")) return Misfit("attribute kernel_shape is missing");
  RM_ASSIGN_OR_RETURN(const Window2d window, CheckedWindow2d(attributes, {}));
  if (window.kernel_h * window.kernel_w > kWindowElementsMax) {
    return Misfit("a window of ", window.kernel_h, "×", window.kernel_w, " has more than ",
                  kWindowElementsMax, " elements");
  }
  RM_ASSIGN_OR_RETURN(const auto size, WindowOutput(window, x));
  if (!WindowsMeetInput(size.first, window.kernel_h, window.stride_h, window.dilation_h,
                        window.pad_top, x[2]) ||
      !WindowsMeetInput(size.second, window.kernel_w, window.stride_w, window.dilation_w,
                        window.pad_left, x[3])) {
    return Misfit("some windows would lie in the padding alone");
  }
  return Shape{x[0], x[1], size.first, size.second};
}

}  // namespace

absl::Status InferMaxPool(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 4));
  RM_ASSIGN_OR_RETURN(const Shape y, PoolOutput(instance->attributes, InputShape(*instance, 0)));
  SetOutput(instance, 0, y);
  SetOutput(instance, 1, y, DType::kUInt8);
  return absl::OkStatus();
}

absl::Status InferMaxPoolGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "dY", 4));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "WindowIndex", DType::kUInt8));
  const Shape& x = OutputShape(*instance, 0);
  if (x.size() != 4) return Misfit("the shape of X is not known");
  RM_ASSIGN_OR_RETURN(const Shape y, PoolOutput(instance->attributes, x));
  RM_RETURN_IF_ERROR(RequireShape("WindowIndex", InputShape(*instance, 1), y));
  return RequireShape("dY", InputShape(*instance, 0), y);
}

}  // namespace rm::kernels
