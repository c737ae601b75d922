// ConvGradInput(dY, W) → dX: what each element of X did to the loss through every window it was in.
// ConvTranspose(X, W) → Y is the same sum by other names, with Y in the place of dX.
#include "kernels/ref/image.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// The output position whose window holds `position` at tap `k`, or −1 when there is none.
int64_t OutputOf(int64_t position, int64_t k, int64_t pad, int64_t stride, int64_t dilation,
                 int64_t outputs) {
  const int64_t shifted = position + pad - k * dilation;
  if (shifted < 0 || shifted % stride != 0 || shifted / stride >= outputs) return -1;
  return shifted / stride;
}

// The transpose of Conv in X: every window that read an element hands back its share. Written as a
// gather over the windows of each element, so that no element is written twice.
class ConvGradInput final : public Kernel {
 public:
  explicit ConvGradInput(const OpInstance& op)
      : window_(ReadWindow2d(op.attributes, op.inputs[1].type.shape)),
        dy_(op.inputs[0].type.shape),
        w_(op.inputs[1].type.shape),
        dx_(op.outputs[0].type.shape) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);  // (N, O, OH, OW)
    const auto* w = arguments.input<float>(1);   // (O, C / group, KH, KW)
    auto* dx = arguments.output<float>(0);       // (N, C, H, W)
    for (int64_t n = 0; n < dx_.n; ++n) {
      for (int64_t c = 0; c < dx_.c; ++c) {
        for (int64_t h = 0; h < dx_.h; ++h) {
          for (int64_t v = 0; v < dx_.w; ++v) {
            dx[dx_.At(n, c, h, v)] = static_cast<float>(Element(dy, w, n, c, h, v));
          }
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  // The sum over all windows that hold the element (n, c, h, v) of X.
  [[nodiscard]] double Element(const float* dy, const float* w, int64_t n, int64_t c, int64_t h,
                               int64_t v) const {
    // An element was in at most one window for each tap: the tap and the element fix the window.
    double sum = 0;
    for (int64_t kh = 0; kh < w_.h; ++kh) {
      const int64_t oh = OutputOf(h, kh, window_.pad_top, window_.stride_h, window_.dilation_h,
                                  dy_.h);
      for (int64_t kw = 0; kw < w_.w && oh >= 0; ++kw) {
        const int64_t ow = OutputOf(v, kw, window_.pad_left, window_.stride_w, window_.dilation_w,
                                    dy_.w);
        if (ow >= 0) sum += Channels(dy, w, n, c, oh, ow, kh, kw);
      }
    }
    return sum;
  }

  // The sum over the output channels of c's group, at one output position and one tap.
  [[nodiscard]] double Channels(const float* dy, const float* w, int64_t n, int64_t c, int64_t oh,
                                int64_t ow, int64_t kh, int64_t kw) const {
    const int64_t outputs = w_.n / window_.group;
    const int64_t first = c / w_.c * outputs;
    double sum = 0;
    for (int64_t o = first; o < first + outputs; ++o) {
      sum += static_cast<double>(dy[dy_.At(n, o, oh, ow)]) *
             static_cast<double>(w[w_.At(o, c % w_.c, kh, kw)]);
    }
    return sum;
  }

  const Window2d window_;
  const Image dy_, w_, dx_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeConvGradInput(const OpInstance& instance,
                                                          const KernelOptions& /*options*/) {
  return std::make_unique<ConvGradInput>(instance);
}

}  // namespace rm::kernels::ref
