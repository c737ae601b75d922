// Conv(X, W[, B]) → Y: 2-D convolution.
#include "kernels/ref/image.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Y[n, o, oh, ow] = B[o] + Σ over c, kh, kw of X[n, c, oh·stride − pad + kh·dilation, …] · W[o, c,
// kh, kw], where c runs over the channels of o's group and what lies in the padding counts as zero.
// One double sum an element: no order of blocking to agree with.
class Conv final : public Kernel {
 public:
  explicit Conv(const OpInstance& op)
      : window_(ReadWindow2d(op.attributes, op.inputs[1].type.shape)),
        x_(op.inputs[0].type.shape),
        w_(op.inputs[1].type.shape),
        y_(op.outputs[0].type.shape),
        relu_(op.attributes.String("activation", "") == "relu") {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);  // (N, C, H, W)
    const auto* w = arguments.input<float>(1);  // (O, C / group, KH, KW)
    const auto* b = arguments.input<float>(2);  // (O) or nullptr
    auto* y = arguments.output<float>(0);       // (N, O, OH, OW)
    for (int64_t n = 0; n < y_.n; ++n) {
      for (int64_t o = 0; o < y_.c; ++o) {
        for (int64_t oh = 0; oh < y_.h; ++oh) {
          for (int64_t ow = 0; ow < y_.w; ++ow) {
            double value = Window(x, w, n, o, oh, ow);
            if (b != nullptr) value += static_cast<double>(b[o]);
            if (relu_ && value < 0) value = 0;
            y[y_.At(n, o, oh, ow)] = static_cast<float>(value);
          }
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  // The sum over one window, all channels of the group of `o`.
  [[nodiscard]] double Window(const float* x, const float* w, int64_t n, int64_t o, int64_t oh,
                              int64_t ow) const {
    // Output channels are dealt out to the groups in order, and so are the input channels.
    const int64_t first_channel = o / (w_.n / window_.group) * w_.c;
    double sum = 0;
    for (int64_t c = 0; c < w_.c; ++c) {
      for (int64_t kh = 0; kh < w_.h; ++kh) {
        for (int64_t kw = 0; kw < w_.w; ++kw) {
          // Tap (kh, kw) of window (oh, ow); outside the image it is padding.
          const int64_t h = oh * window_.stride_h - window_.pad_top + kh * window_.dilation_h;
          const int64_t v = ow * window_.stride_w - window_.pad_left + kw * window_.dilation_w;
          if (!x_.Holds(h, v)) continue;
          sum += static_cast<double>(x[x_.At(n, first_channel + c, h, v)]) *
                 static_cast<double>(w[w_.At(o, c, kh, kw)]);
        }
      }
    }
    return sum;
  }

  const Window2d window_;
  const Image x_, w_, y_;
  const bool relu_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeConv(const OpInstance& instance,
                                                 const KernelOptions& /*options*/) {
  return std::make_unique<Conv>(instance);
}

}  // namespace rm::kernels::ref
