// BatchNormalization(X, scale, B, mean, var) → Y, the form for inference.
#include <algorithm>
#include <cmath>

#include "kernels/ref/channels.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Y = (X − mean) / √(var + epsilon) · scale + B, channel by channel.
class BatchNorm final : public Kernel {
 public:
  explicit BatchNorm(const OpInstance& op)
      : channels_(op.inputs[0].type.shape),
        epsilon_(static_cast<double>(op.attributes.Float("epsilon", 1e-5F))),
        relu_(op.attributes.String("activation", "") == "relu") {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    for (int64_t c = 0; c < channels_.c; ++c) {
      const auto number = [&](size_t i) {
        return static_cast<double>(arguments.input<float>(i)[c]);
      };
      const double factor = number(1) / std::sqrt(number(4) + epsilon_);
      for (int64_t i = 0; i < channels_.count(); ++i) {
        const int64_t at = channels_.At(c, i);
        const double value = (static_cast<double>(x[at]) - number(3)) * factor + number(2);
        y[at] = static_cast<float>(relu_ && value < 0 ? 0 : value);
      }
    }
    return absl::OkStatus();
  }

 private:
  const Channels channels_;
  const double epsilon_;
  const bool relu_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeBatchNorm(const OpInstance& instance,
                                                      const KernelOptions& /*options*/) {
  return std::make_unique<BatchNorm>(instance);
}

}  // namespace rm::kernels::ref
