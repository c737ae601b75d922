// ConvGradWeight(X, dY) → dW[, dB].
#include "kernels/ref/image.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// The transpose of Conv in W: dW[o, c, kh, kw] is the sum over the batch and all windows of what
// that tap saw, times dY; dB[o] is the sum of dY over everything but o.
class ConvGradWeight final : public Kernel {
 public:
  explicit ConvGradWeight(const OpInstance& op)
      : window_(ReadWindow2d(op.attributes, op.outputs[0].type.shape)),
        x_(op.inputs[0].type.shape),
        dy_(op.inputs[1].type.shape),
        dw_(op.outputs[0].type.shape) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);   // (N, C, H, W)
    const auto* dy = arguments.input<float>(1);  // (N, O, OH, OW)
    auto* dw = arguments.output<float>(0);       // (O, C / group, KH, KW)
    auto* db = arguments.output<float>(1);       // (O) or nullptr
    for (int64_t o = 0; o < dw_.n; ++o) {
      if (db != nullptr) db[o] = static_cast<float>(Bias(dy, o));
      for (int64_t c = 0; c < dw_.c; ++c) {
        for (int64_t kh = 0; kh < dw_.h; ++kh) {
          for (int64_t kw = 0; kw < dw_.w; ++kw) {
            dw[dw_.At(o, c, kh, kw)] = static_cast<float>(Tap(x, dy, o, c, kh, kw));
          }
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  // The sum of dY over channel o.
  [[nodiscard]] double Bias(const float* dy, int64_t o) const {
    double sum = 0;
    for (int64_t n = 0; n < dy_.n; ++n) {
      for (int64_t i = 0; i < dy_.h * dy_.w; ++i) {
        sum += static_cast<double>(dy[dy_.At(n, o, 0, 0) + i]);
      }
    }
    return sum;
  }

  // The sum over all windows of the element that the tap (kh, kw) of W saw, times dY.
  [[nodiscard]] double Tap(const float* x, const float* dy, int64_t o, int64_t c, int64_t kh,
                           int64_t kw) const {
    // The input channel that tap c of output channel o's group looks at.
    const int64_t channel = o / (dw_.n / window_.group) * dw_.c + c;
    double sum = 0;
    for (int64_t n = 0; n < dy_.n; ++n) {
      for (int64_t oh = 0; oh < dy_.h; ++oh) {
        for (int64_t ow = 0; ow < dy_.w; ++ow) {
          const int64_t h = oh * window_.stride_h - window_.pad_top + kh * window_.dilation_h;
          const int64_t v = ow * window_.stride_w - window_.pad_left + kw * window_.dilation_w;
          if (!x_.Holds(h, v)) continue;
          sum += static_cast<double>(x[x_.At(n, channel, h, v)]) *
                 static_cast<double>(dy[dy_.At(n, o, oh, ow)]);
        }
      }
    }
    return sum;
  }

  const Window2d window_;
  const Image x_, dy_, dw_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeConvGradWeight(const OpInstance& instance,
                                                           const KernelOptions& /*options*/) {
  return std::make_unique<ConvGradWeight>(instance);
}

}  // namespace rm::kernels::ref
