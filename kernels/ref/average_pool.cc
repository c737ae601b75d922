// AveragePool(X) → Y and GlobalAveragePool(X) → Y, and their gradients.
#include <algorithm>

#include "kernels/ref/image.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// The window of an instance whose images are `x` large: all of an image for the global pool.
Window2d WindowOf(const OpInstance& op, const Image& x, bool global) {
  Window2d window;
  if (!global) return ReadWindow2d(op.attributes, {});
  window.kernel_h = x.h;
  window.kernel_w = x.w;
  return window;
}

// What both directions share: the elements of each window, and what their sum is divided by.
class AveragePoolKernel : public Kernel {
 public:
  AveragePoolKernel(const OpInstance& op, const Shape& x, const Shape& y, bool global)
      : window_(WindowOf(op, Image(x), global)),
        count_padding_(op.attributes.Int("count_include_pad", 0) != 0),
        x_(x),
        y_(y) {}

 protected:
  // Calls visit(h, w) for the elements of X in the window of an element of Y.
  template <typename Visit>
  void ForWindow(int64_t oh, int64_t ow, const Visit& visit) const {
    for (int64_t k = 0; k < window_.kernel_h * window_.kernel_w; ++k) {
      const int64_t h =
          oh * window_.stride_h - window_.pad_top + k / window_.kernel_w * window_.dilation_h;
      const int64_t w =
          ow * window_.stride_w - window_.pad_left + k % window_.kernel_w * window_.dilation_w;
      if (x_.Holds(h, w)) visit(h, w);
    }
  }

  // Padding counts as elements of 0 if asked to.
  [[nodiscard]] double Divisor(int64_t oh, int64_t ow) const {
    if (count_padding_) return static_cast<double>(window_.kernel_h * window_.kernel_w);
    double count = 0;
    ForWindow(oh, ow, [&count](int64_t, int64_t) { ++count; });
    return count;
  }

  // Calls visit(image, oh, ow, offset) for each element of Y, where `image` counts channels too.
  template <typename Visit>
  void ForResults(const Visit& visit) const {
    for (int64_t i = 0; i < y_.n * y_.c * y_.h * y_.w; ++i) {
      visit(i / (y_.h * y_.w), i / y_.w % y_.h, i % y_.w, i);
    }
  }

  const Window2d window_;
  const bool count_padding_;
  const Image x_, y_;
};

// Sums in double, as windows may be whole images.
class AveragePool final : public AveragePoolKernel {
 public:
  using AveragePoolKernel::AveragePoolKernel;

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    ForResults([&](int64_t image, int64_t oh, int64_t ow, int64_t at) {
      double sum = 0;
      ForWindow(oh, ow, [&](int64_t h, int64_t w) {
        sum += static_cast<double>(x[(image * x_.h + h) * x_.w + w]);
      });
      y[at] = static_cast<float>(sum / Divisor(oh, ow));
    });
    return absl::OkStatus();
  }
};

// dX starts at zero and each window adds its share of dY to its elements.
class AveragePoolGrad final : public AveragePoolKernel {
 public:
  using AveragePoolKernel::AveragePoolKernel;

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    auto* dx = arguments.output<float>(0);
    std::fill(dx, dx + x_.n * x_.c * x_.h * x_.w, 0.0F);
    ForResults([&](int64_t image, int64_t oh, int64_t ow, int64_t at) {
      const auto share = static_cast<float>(static_cast<double>(dy[at]) / Divisor(oh, ow));
      ForWindow(oh, ow, [&](int64_t h, int64_t w) {
        dx[(image * x_.h + h) * x_.w + w] += share;
      });
    });
    return absl::OkStatus();
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeAveragePool(const OpInstance& instance,
                                                        const KernelOptions& /*options*/) {
  return std::make_unique<AveragePool>(instance, instance.inputs[0].type.shape,
                                       instance.outputs[0].type.shape,
                                       instance.op == "GlobalAveragePool");
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeAveragePoolGrad(const OpInstance& instance,
                                                            const KernelOptions& /*options*/) {
  return std::make_unique<AveragePoolGrad>(instance, instance.outputs[0].type.shape,
                                           instance.inputs[0].type.shape,
                                           instance.op == "GlobalAveragePoolGrad");
}

}  // namespace rm::kernels::ref
