// SoftmaxGrad(dY, Y) → dX and LogSoftmaxGrad(dY, Y) → dX along one axis.
#include <cmath>

#include "kernels/ref/axis.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// With p = softmax(X): dX = p · (dY − Σ dY · p) for Y = p, and dX = dY − p · Σ dY for Y = log p.
class SoftmaxGrad final : public Kernel {
 public:
  SoftmaxGrad(const OpInstance& op, bool logarithm)
      : axis_(op.inputs[0].type.shape, op.attributes.Int("axis", -1)), logarithm_(logarithm) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    const auto* y = arguments.input<float>(1);
    auto* dx = arguments.output<float>(0);
    for (int64_t line = 0; line < axis_.lines(); ++line) {
      // The sum is complete before the first element is written: dX may be dY's memory.
      double sum = 0;
      for (int64_t i = 0; i < axis_.n; ++i) {
        const int64_t at = axis_.At(line, i);
        sum += static_cast<double>(dy[at]) * (logarithm_ ? 1.0 : static_cast<double>(y[at]));
      }
      for (int64_t i = 0; i < axis_.n; ++i) {
        const int64_t at = axis_.At(line, i);
        const auto gradient = static_cast<double>(dy[at]);
        const auto value = static_cast<double>(y[at]);
        dx[at] = static_cast<float>(logarithm_ ? gradient - std::exp(value) * sum
                                               : value * (gradient - sum));
      }
    }
    return absl::OkStatus();
  }

 private:
  const Axis axis_;
  const bool logarithm_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxGrad(const OpInstance& instance,
                                                        const KernelOptions& /*options*/) {
  return std::make_unique<SoftmaxGrad>(instance, instance.op == "LogSoftmaxGrad");
}

}  // namespace rm::kernels::ref
