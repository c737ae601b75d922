// LayerNormGrad(dY, X, Scale, Mean, InvStdDev) → dX[, dScale, dB].
#include <algorithm>
#include <vector>

#include "kernels/ref/axis.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// With N = (X − Mean) · InvStdDev and G = dY · Scale, row by row:
//   dX = InvStdDev · (G − mean(G) − N · mean(G · N)), dScale = Σ_rows dY · N, dB = Σ_rows dY.
class LayerNormGrad final : public Kernel {
 public:
  explicit LayerNormGrad(const OpInstance& op)
      : rows_(op.inputs[1].type.shape, op.attributes.Int("axis", -1)),
        scale_sums_(static_cast<size_t>(rows_.n)),
        bias_sums_(static_cast<size_t>(rows_.n)) {}

  absl::Status Run(const Arguments& arguments) override {
    std::fill(scale_sums_.begin(), scale_sums_.end(), 0.0);
    std::fill(bias_sums_.begin(), bias_sums_.end(), 0.0);
    for (int64_t row = 0; row < rows_.count; ++row) Row(arguments, row);
    auto* dscale = arguments.output<float>(1);  // or nullptr
    auto* dbias = arguments.output<float>(2);   // or nullptr
    for (size_t i = 0; i < scale_sums_.size(); ++i) {
      if (dscale != nullptr) dscale[i] = static_cast<float>(scale_sums_[i]);
      if (dbias != nullptr) dbias[i] = static_cast<float>(bias_sums_[i]);
    }
    return absl::OkStatus();
  }

 private:
  void Row(const Arguments& arguments, int64_t row) {
    const int64_t n = rows_.n;
    const float* dy = arguments.input<float>(0) + row * n;
    const float* x = arguments.input<float>(1) + row * n;
    const auto* scale = arguments.input<float>(2);
    const auto mean = static_cast<double>(arguments.input<float>(3)[row]);
    const auto inv_std = static_cast<double>(arguments.input<float>(4)[row]);
    float* dx = arguments.output<float>(0) + row * n;
    double sum = 0;         // of G
    double normal_sum = 0;  // of G · N
    for (int64_t i = 0; i < n; ++i) {
      const double normal = (static_cast<double>(x[i]) - mean) * inv_std;
      const double gradient = static_cast<double>(dy[i]) * static_cast<double>(scale[i]);
      sum += gradient;
      normal_sum += gradient * normal;
      scale_sums_[static_cast<size_t>(i)] += static_cast<double>(dy[i]) * normal;
      bias_sums_[static_cast<size_t>(i)] += static_cast<double>(dy[i]);
    }
    sum /= static_cast<double>(n);
    normal_sum /= static_cast<double>(n);
    for (int64_t i = 0; i < n; ++i) {
      const double normal = (static_cast<double>(x[i]) - mean) * inv_std;
      const double gradient = static_cast<double>(dy[i]) * static_cast<double>(scale[i]);
      dx[i] = static_cast<float>(inv_std * (gradient - sum - normal * normal_sum));
    }
  }

  const Rows rows_;
  std::vector<double> scale_sums_;
  std::vector<double> bias_sums_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeLayerNormGrad(const OpInstance& instance,
                                                          const KernelOptions& /*options*/) {
  return std::make_unique<LayerNormGrad>(instance);
}

}  // namespace rm::kernels::ref
