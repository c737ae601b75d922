// MaxPoolGrad(dY, WindowIndex) → dX: each dY goes to the element that was its window's maximum.
#include <algorithm>

#include "kernels/ref/image.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// dX starts at zero and each window adds its dY at the element that won; windows may overlap, so an
// element may be added to several times, in the order of the windows.
class MaxPoolGrad final : public Kernel {
 public:
  explicit MaxPoolGrad(const OpInstance& op)
      : window_(ReadWindow2d(op.attributes, {})),
        dy_(op.inputs[0].type.shape),
        dx_(op.outputs[0].type.shape) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    const auto* index = arguments.input<uint8_t>(1);
    auto* dx = arguments.output<float>(0);
    std::fill(dx, dx + dx_.n * dx_.c * dx_.h * dx_.w, 0.0F);
    for (int64_t image = 0; image < dy_.n * dy_.c; ++image) {
      for (int64_t oh = 0; oh < dy_.h; ++oh) {
        for (int64_t ow = 0; ow < dy_.w; ++ow) {
          const int64_t at = (image * dy_.h + oh) * dy_.w + ow;
          // The index counts the window's positions row by row.
          const int64_t kh = index[at] / window_.kernel_w;
          const int64_t kw = index[at] % window_.kernel_w;
          const int64_t h = oh * window_.stride_h - window_.pad_top + kh * window_.dilation_h;
          const int64_t w = ow * window_.stride_w - window_.pad_left + kw * window_.dilation_w;
          // An index that points outside the image is damaged; it must not write there.
          if (dx_.Holds(h, w)) dx[(image * dx_.h + h) * dx_.w + w] += dy[at];
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  const Window2d window_;
  const Image dy_, dx_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeMaxPoolGrad(const OpInstance& instance,
                                                        const KernelOptions& /*options*/) {
  return std::make_unique<MaxPoolGrad>(instance);
}

}  // namespace rm::kernels::ref
