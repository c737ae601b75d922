// BatchNormGrad(dY, X, scale, batch_mean, inverse_stddev[, Y]) → dX[, dscale, dB].
#include "kernels/ref/channels.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// With N = (X − mean) · inverse_stddev, channel by channel:
//   dB = Σ dY, dscale = Σ dY · N, dX = scale · inverse_stddev · (dY − dB / n − N · dscale / n).
// With a relu, dY counts where Y > 0.
class BatchNormGrad final : public Kernel {
 public:
  explicit BatchNormGrad(const OpInstance& op) : channels_(op.inputs[1].type.shape) {}

  absl::Status Run(const Arguments& arguments) override {
    for (int64_t c = 0; c < channels_.c; ++c) Channel(arguments, c);
    return absl::OkStatus();
  }

 private:
  void Channel(const Arguments& arguments, int64_t c) const {
    const auto* x = arguments.input<float>(1);
    const auto* y = arguments.input<float>(5);  // or nullptr
    auto* dx = arguments.output<float>(0);
    const auto scale = static_cast<double>(arguments.input<float>(2)[c]);
    const auto mean = static_cast<double>(arguments.input<float>(3)[c]);
    const auto inverse = static_cast<double>(arguments.input<float>(4)[c]);
    const auto gradient = [&](int64_t at) {
      const bool passes = y == nullptr || y[at] > 0;
      return passes ? static_cast<double>(arguments.input<float>(0)[at]) : 0;
    };
    const auto normal = [&](int64_t at) { return (static_cast<double>(x[at]) - mean) * inverse; };
    const int64_t count = channels_.count();
    double sum = 0;
    double product = 0;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = channels_.At(c, i);
      sum += gradient(at);
      product += gradient(at) * normal(at);
    }
    auto* dscale = arguments.output<float>(1);  // or nullptr
    auto* dbias = arguments.output<float>(2);   // or nullptr
    if (dscale != nullptr) dscale[c] = static_cast<float>(product);
    if (dbias != nullptr) dbias[c] = static_cast<float>(sum);
    sum /= static_cast<double>(count);
    product /= static_cast<double>(count);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = channels_.At(c, i);
      dx[at] = static_cast<float>(scale * inverse * (gradient(at) - sum - normal(at) * product));
    }
  }

  const Channels channels_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeBatchNormGrad(const OpInstance& instance,
                                                          const KernelOptions& /*options*/) {
  return std::make_unique<BatchNormGrad>(instance);
}

}  // namespace rm::kernels::ref
