// BatchNormTraining(X, scale, B[, residual]) → Y[, batch_mean, batch_variance, inverse_stddev].
#include <cmath>

#include "kernels/ref/channels.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// As PyTorch: a channel is normalised by its biased variance, while the unbiased one is what the
// running statistics take.
class BatchNormTraining final : public Kernel {
 public:
  explicit BatchNormTraining(const OpInstance& op)
      : channels_(op.inputs[0].type.shape),
        epsilon_(static_cast<double>(op.attributes.Float("epsilon", 1e-5F))),
        relu_(op.attributes.String("activation", "") == "relu") {}

  absl::Status Run(const Arguments& arguments) override {
    for (int64_t c = 0; c < channels_.c; ++c) Channel(arguments, c);
    return absl::OkStatus();
  }

 private:
  void Channel(const Arguments& arguments, int64_t c) const {
    const auto* x = arguments.input<float>(0);
    const auto* residual = arguments.input<float>(3);  // or nullptr
    auto* y = arguments.output<float>(0);
    const auto scale = static_cast<double>(arguments.input<float>(1)[c]);
    const auto bias = static_cast<double>(arguments.input<float>(2)[c]);
    const int64_t count = channels_.count();
    double mean = 0;
    for (int64_t i = 0; i < count; ++i) mean += static_cast<double>(x[channels_.At(c, i)]);
    mean /= static_cast<double>(count);
    double squares = 0;
    for (int64_t i = 0; i < count; ++i) {
      const double difference = static_cast<double>(x[channels_.At(c, i)]) - mean;
      squares += difference * difference;
    }
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(count) + epsilon_);
    // One value has no unbiased variance: 0.
    const double unbiased = count > 1 ? squares / static_cast<double>(count - 1) : 0;
    Report(arguments, c, {mean, unbiased, inverse});
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = channels_.At(c, i);
      double value = (static_cast<double>(x[at]) - mean) * inverse * scale + bias;
      if (residual != nullptr) value += static_cast<double>(residual[at]);
      y[at] = static_cast<float>(relu_ && value < 0 ? 0 : value);
    }
  }

  // Writes the statistics that somebody reads.
  static void Report(const Arguments& arguments, int64_t c, const double (&statistics)[3]) {
    for (size_t i = 0; i < 3; ++i) {
      auto* output = arguments.output<float>(i + 1);
      if (output != nullptr) output[c] = static_cast<float>(statistics[i]);
    }
  }

  const Channels channels_;
  const double epsilon_;
  const bool relu_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeBatchNormTraining(const OpInstance& instance,
                                                              const KernelOptions& /*options*/) {
  return std::make_unique<BatchNormTraining>(instance);
}

}  // namespace rm::kernels::ref
