// Conv and its two gradients, 2-D.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// The shape of Y for images X (N, C, H, W) and weights W (M, C / group, kH, kW).
absl::StatusOr<Shape> ConvOutput(const Attributes& attributes, const Shape& x, const Shape& w) {
  RM_ASSIGN_OR_RETURN(const Window2d window, CheckedWindow2d(attributes, w));
  if (window.kernel_h != w[2] || window.kernel_w != w[3]) {
    return Misfit("attribute kernel_shape is not that of W");
  }
  if (x[1] != w[1] * window.group) {
    return Misfit("X has ", x[1], " channels, W takes ", w[1] * window.group);
  }
  if (w[0] % window.group != 0) {
    return Misfit(w[0], " output channels do not divide into ", window.group, " groups");
  }
  RM_ASSIGN_OR_RETURN(const auto size, WindowOutput(window, x));
  return Shape{x[0], w[0], size.first, size.second};
}

}  // namespace

absl::Status InferConv(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 4));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 1, "W", 4));
  RM_RETURN_IF_ERROR(RequireActivation(instance->attributes));
  const Shape& w = InputShape(*instance, 1);
  if (instance->has_input(2)) {
    RM_RETURN_IF_ERROR(RequireFloat(*instance, 2, "B", 1));
    RM_RETURN_IF_ERROR(RequireShape("B", InputShape(*instance, 2), {w[0]}));
  }
  RM_ASSIGN_OR_RETURN(Shape y, ConvOutput(instance->attributes, InputShape(*instance, 0), w));
  SetOutput(instance, 0, std::move(y));
  return absl::OkStatus();
}

// With strides, images of several sizes have the same output: X's size cannot be told from dY, but
// dY can be checked against the X that the type states. The same holds for W below.
absl::Status InferConvGradInput(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "dY", 4));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 1, "W", 4));
  const Shape& x = OutputShape(*instance, 0);
  if (x.size() != 4) return Misfit("the shape of X is not known");
  RM_ASSIGN_OR_RETURN(const Shape y, ConvOutput(instance->attributes, x, InputShape(*instance, 1)));
  return RequireShape("dY", InputShape(*instance, 0), y);
}

// The size is the one thing that a kernel of ConvGradInput is told by its output's type, and that a forward
// operator has to work out: stride · (in − 1) + reach − pads, and what output_padding adds.
// W is that of the convolution which goes back from Y to X: (channels of X, channels of Y / group, …).
// The output is checked by that convolution's own rule.
absl::Status InferConvTranspose(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 4));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 1, "W", 4));
  const Shape x = InputShape(*instance, 0);
  const Shape& w = InputShape(*instance, 1);
  RM_ASSIGN_OR_RETURN(const Window2d window, CheckedWindow2d(instance->attributes, w));
  const std::vector<int64_t> more = instance->attributes.Ints("output_padding", {0, 0});
  if (more.size() != 2 || more[0] < 0 || more[1] < 0 || more[0] >= window.stride_h ||
      more[1] >= window.stride_w) {
    return Misfit("attribute output_padding must be 2 numbers below the strides");
  }
  const int64_t h = window.stride_h * (x[2] - 1) + window.dilation_h * (window.kernel_h - 1) + 1 -
                    window.pad_top - window.pad_bottom + more[0];
  const int64_t v = window.stride_w * (x[3] - 1) + window.dilation_w * (window.kernel_w - 1) + 1 -
                    window.pad_left - window.pad_right + more[1];
  if (h < 1 || v < 1) return Misfit("attribute pads leave nothing of the output");
  Shape y = {x[0], w[1] * window.group, h, v};
  RM_ASSIGN_OR_RETURN(const Shape back, ConvOutput(instance->attributes, y, w));
  RM_RETURN_IF_ERROR(RequireShape("X", x, back));
  SetOutput(instance, 0, std::move(y));
  return absl::OkStatus();
}

absl::Status InferConvGradWeight(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "X", 4));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 1, "dY", 4));
  const Shape& w = OutputShape(*instance, 0);
  if (w.size() != 4) return Misfit("the shape of W is not known");
  RM_ASSIGN_OR_RETURN(const Shape y, ConvOutput(instance->attributes, InputShape(*instance, 0), w));
  SetOutput(instance, 1, {w[0]});
  return RequireShape("dY", InputShape(*instance, 1), y);
}

}  // namespace rm::kernels
