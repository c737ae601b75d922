// LayerNormalization(X, Scale[, B]) → Y[, Mean, InvStdDev].
#include <cmath>

#include "kernels/ref/axis.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Y = (X − Mean) · InvStdDev · Scale + B, row by row. The variance is that of the row itself
// (divided by n), taken in a second pass over it.
class LayerNorm final : public Kernel {
 public:
  explicit LayerNorm(const OpInstance& op)
      : rows_(op.inputs[0].type.shape, op.attributes.Int("axis", -1)),
        epsilon_(static_cast<double>(op.attributes.Float("epsilon", 1e-5F))) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    const auto* scale = arguments.input<float>(1);
    const auto* bias = arguments.input<float>(2);     // or nullptr
    auto* y = arguments.output<float>(0);
    auto* mean_out = arguments.output<float>(1);      // or nullptr
    auto* inv_std_out = arguments.output<float>(2);   // or nullptr
    for (int64_t row = 0; row < rows_.count; ++row) {
      const float* from = x + row * rows_.n;
      double mean = 0;
      for (int64_t i = 0; i < rows_.n; ++i) mean += static_cast<double>(from[i]);
      mean /= static_cast<double>(rows_.n);
      double variance = 0;
      for (int64_t i = 0; i < rows_.n; ++i) {
        const double difference = static_cast<double>(from[i]) - mean;
        variance += difference * difference;
      }
      variance /= static_cast<double>(rows_.n);
      const double inv_std = 1 / std::sqrt(variance + epsilon_);
      if (mean_out != nullptr) mean_out[row] = static_cast<float>(mean);
      if (inv_std_out != nullptr) inv_std_out[row] = static_cast<float>(inv_std);
      for (int64_t i = 0; i < rows_.n; ++i) {
        const double normal = (static_cast<double>(from[i]) - mean) * inv_std;
        const double shift = bias != nullptr ? static_cast<double>(bias[i]) : 0;
        y[row * rows_.n + i] = static_cast<float>(normal * static_cast<double>(scale[i]) + shift);
      }
    }
    return absl::OkStatus();
  }

 private:
  const Rows rows_;
  const double epsilon_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeLayerNorm(const OpInstance& instance,
                                                      const KernelOptions& /*options*/) {
  return std::make_unique<LayerNorm>(instance);
}

}  // namespace rm::kernels::ref
