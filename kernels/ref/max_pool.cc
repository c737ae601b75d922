// MaxPool(X) → Y[, WindowIndex].
#include <cmath>

#include "kernels/ref/image.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// The greatest value of a window and where in the window it was found first, row by row.
struct Maximum {
  float value = 0;
  int64_t index = -1;  // inside the window, row by row; −1: no element yet
};

// Padding never wins: it is not looked at. A tie goes to the first element, as in PyTorch, so that
// the gradient has one place to go.
class MaxPool final : public Kernel {
 public:
  explicit MaxPool(const OpInstance& op)
      : window_(ReadWindow2d(op.attributes, {})),
        x_(op.inputs[0].type.shape),
        y_(op.outputs[0].type.shape) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    auto* index = arguments.output<uint8_t>(1);  // or nullptr
    for (int64_t image = 0; image < y_.n * y_.c; ++image) {
      for (int64_t oh = 0; oh < y_.h; ++oh) {
        for (int64_t ow = 0; ow < y_.w; ++ow) {
          const Maximum maximum = Window(x + image * x_.h * x_.w, oh, ow);
          const int64_t at = (image * y_.h + oh) * y_.w + ow;
          y[at] = maximum.value;
          if (index != nullptr) index[at] = static_cast<uint8_t>(maximum.index);
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  // `x` is one channel of one image (H, W).
  [[nodiscard]] Maximum Window(const float* x, int64_t oh, int64_t ow) const {
    Maximum maximum;
    for (int64_t kh = 0; kh < window_.kernel_h; ++kh) {
      for (int64_t kw = 0; kw < window_.kernel_w; ++kw) {
        const int64_t h = oh * window_.stride_h - window_.pad_top + kh * window_.dilation_h;
        const int64_t w = ow * window_.stride_w - window_.pad_left + kw * window_.dilation_w;
        if (!x_.Holds(h, w)) continue;
        const float value = x[h * x_.w + w];
        // A NaN wins over every number, so that it is not lost on its way to the loss.
        const bool wins = value > maximum.value ||
                          (std::isnan(value) && !std::isnan(maximum.value));
        // The first element that is not padding begins; later ones must be greater.
        if (maximum.index < 0 || wins) maximum = {value, kh * window_.kernel_w + kw};
      }
    }
    return maximum;
  }

  const Window2d window_;
  const Image x_, y_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeMaxPool(const OpInstance& instance,
                                                    const KernelOptions& /*options*/) {
  return std::make_unique<MaxPool>(instance);
}

}  // namespace rm::kernels::ref
