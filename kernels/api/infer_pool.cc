// Pools of images and their gradients.
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

// The shape of Y for images X (N, C, H, W) of at least one pixel.
absl::StatusOr<Shape> PoolOutput(const Attributes& attributes, const Shape& x) {
  if (!attributes.Has("kernel_shape")) return Misfit("attribute kernel_shape is missing");
  RM_ASSIGN_OR_RETURN(const Window2d window, CheckedWindow2d(attributes, {}));
  RM_ASSIGN_OR_RETURN(const auto size, WindowOutput(window, x));
  if (!WindowsMeetInput(size.first, window.kernel_h, window.stride_h, window.dilation_h,
                        window.pad_top, x[2]) ||
      !WindowsMeetInput(size.second, window.kernel_w, window.stride_w, window.dilation_w,
                        window.pad_left, x[3])) {
    return Misfit("some windows would lie in the padding alone");
  }
  return Shape{x[0], x[1], size.first, size.second};
}

// The same for a maximum, whose place in its window is known by number.
absl::StatusOr<Shape> MaxPoolOutput(const Attributes& attributes, const Shape& x) {
  RM_ASSIGN_OR_RETURN(const Shape y, PoolOutput(attributes, x));
  const Window2d window = ReadWindow2d(attributes, {});
  if (window.kernel_h * window.kernel_w <= kWindowElementsMax) return y;
  return Misfit("a window of ", window.kernel_h, "×", window.kernel_w, " has more than ",
                kWindowElementsMax, " elements");
}

absl::StatusOr<Shape> GlobalPoolOutput(const Shape& x) {
  if (x[2] * x[3] < 1) return Misfit("X has no pixels");
  return Shape{x[0], x[1], 1, 1};
}

// X's shape, of which a gradient's type must tell.
absl::StatusOr<Shape> ImageOfGradient(const OpInstance& instance) {
  RM_RETURN_IF_ERROR(RequireFloat(instance, 0, "dY", 4));
  const Shape& x = OutputShape(instance, 0);
  if (x.size() != 4) return Misfit("the shape of X is not known");
  return x;
}

}  // namespace

// A window may be as large as the image, and no index of a place is kept: any size is legal.
absl::Status InferAveragePool(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 4));
  RM_ASSIGN_OR_RETURN(const Shape y, PoolOutput(instance->attributes, InputShape(*instance, 0)));
  SetOutput(instance, 0, y);
  return absl::OkStatus();
}

// X's size cannot be told from dY's, as windows may leave rows and columns over.
absl::Status InferAveragePoolGrad(OpInstance* instance) {
  RM_ASSIGN_OR_RETURN(const Shape x, ImageOfGradient(*instance));
  RM_ASSIGN_OR_RETURN(const Shape y, PoolOutput(instance->attributes, x));
  SetOutput(instance, 0, x);
  return RequireShape("dY", InputShape(*instance, 0), y);
}

absl::Status InferGlobalAveragePool(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 4));
  RM_ASSIGN_OR_RETURN(const Shape y, GlobalPoolOutput(InputShape(*instance, 0)));
  SetOutput(instance, 0, y);
  return absl::OkStatus();
}

absl::Status InferGlobalAveragePoolGrad(OpInstance* instance) {
  RM_ASSIGN_OR_RETURN(const Shape x, ImageOfGradient(*instance));
  RM_ASSIGN_OR_RETURN(const Shape y, GlobalPoolOutput(x));
  SetOutput(instance, 0, x);
  return RequireShape("dY", InputShape(*instance, 0), y);
}

absl::Status InferMaxPool(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 4));
  RM_ASSIGN_OR_RETURN(const Shape y,
                      MaxPoolOutput(instance->attributes, InputShape(*instance, 0)));
  SetOutput(instance, 0, y);
  SetOutput(instance, 1, y, DType::kUInt8);
  return absl::OkStatus();
}

absl::Status InferMaxPoolGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "dY", 4));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "WindowIndex", DType::kUInt8));
  const Shape& x = OutputShape(*instance, 0);
  if (x.size() != 4) return Misfit("the shape of X is not known");
  RM_ASSIGN_OR_RETURN(const Shape y, MaxPoolOutput(instance->attributes, x));
  RM_RETURN_IF_ERROR(RequireShape("WindowIndex", InputShape(*instance, 1), y));
  return RequireShape("dY", InputShape(*instance, 0), y);
}

}  // namespace rm::kernels
