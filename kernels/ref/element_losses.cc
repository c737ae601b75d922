// Losses that compare element by element: MeanSquaredError and SigmoidCrossEntropy, and their
// gradients.
#include <algorithm>
#include <cmath>

#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Loss of one element, and its derivative, in double.
struct SquaredError {
  static double Loss(double y, double target) { return (y - target) * (y - target); }
  static double Slope(double y, double target) { return 2 * (y - target); }
};

// −t·log σ(x) − (1 − t)·log(1 − σ(x)), in a form in which no exponential overflows.
struct SigmoidEntropy {
  static double Loss(double x, double target) {
    return std::max(x, 0.0) - x * target + std::log1p(std::exp(-std::abs(x)));
  }
  static double Slope(double x, double target) {
    const double e = std::exp(-std::abs(x));
    return (x >= 0 ? 1 : e) / (1 + e) - target;
  }
};

// Rows are samples; the loss of a sample is the mean over its elements. A row of weight 0 adds
// nothing, whatever stands in it.
class RowKernel : public Kernel {
 protected:
  explicit RowKernel(const OpInstance& op)
      : rows_(op.inputs[0].type.shape[0]),
        elements_(op.inputs[0].type.elements() / std::max<int64_t>(1, rows_)) {}

  const int64_t rows_;
  const int64_t elements_;  // of one row
};

template <typename Rule>
class Loss final : public RowKernel {
 public:
  explicit Loss(const OpInstance& op) : RowKernel(op) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* y = arguments.input<float>(0);        // (B, …)
    const auto* targets = arguments.input<float>(1);  // (B, …)
    const auto* weights = arguments.input<float>(2);  // (B)
    auto* loss = arguments.output<float>(0);          // (1)
    double sum = 0;
    for (int64_t row = 0; row < rows_; ++row) {
      if (weights[row] == 0) continue;
      double row_sum = 0;
      for (int64_t i = row * elements_; i < (row + 1) * elements_; ++i) {
        row_sum += Rule::Loss(static_cast<double>(y[i]), static_cast<double>(targets[i]));
      }
      sum += static_cast<double>(weights[row]) * row_sum / static_cast<double>(elements_);
    }
    loss[0] = static_cast<float>(sum);
    return absl::OkStatus();
  }
};

template <typename Rule>
class Gradient final : public RowKernel {
 public:
  explicit Gradient(const OpInstance& op) : RowKernel(op) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* y = arguments.input<float>(0);        // (B, …)
    const auto* targets = arguments.input<float>(1);  // (B, …)
    const auto* weights = arguments.input<float>(2);  // (B)
    const auto* scale = arguments.input<float>(3);    // (1)
    auto* dy = arguments.output<float>(0);            // (B, …)
    for (int64_t row = 0; row < rows_; ++row) {
      const double factor = static_cast<double>(scale[0]) * static_cast<double>(weights[row]) /
                            static_cast<double>(elements_);
      for (int64_t i = row * elements_; i < (row + 1) * elements_; ++i) {
        const double slope =
            Rule::Slope(static_cast<double>(y[i]), static_cast<double>(targets[i]));
        dy[i] = weights[row] == 0 ? 0 : static_cast<float>(factor * slope);
      }
    }
    return absl::OkStatus();
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeMeanSquaredError(const OpInstance& instance,
                                                             const KernelOptions& /*options*/) {
  return std::make_unique<Loss<SquaredError>>(instance);
}
absl::StatusOr<std::unique_ptr<Kernel>> MakeMeanSquaredErrorGrad(
    const OpInstance& instance, const KernelOptions& /*options*/) {
  return std::make_unique<Gradient<SquaredError>>(instance);
}
absl::StatusOr<std::unique_ptr<Kernel>> MakeSigmoidCrossEntropy(
    const OpInstance& instance, const KernelOptions& /*options*/) {
  return std::make_unique<Loss<SigmoidEntropy>>(instance);
}
absl::StatusOr<std::unique_ptr<Kernel>> MakeSigmoidCrossEntropyGrad(
    const OpInstance& instance, const KernelOptions& /*options*/) {
  return std::make_unique<Gradient<SigmoidEntropy>>(instance);
}

}  // namespace rm::kernels::ref
