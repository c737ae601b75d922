// Softmax(X) → Y and LogSoftmax(X) → Y along one axis.
#include <algorithm>
#include <cmath>

#include "kernels/ref/axis.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Both subtract the line's maximum first, so that no exponential overflows. A line of −∞ alone has
// no softmax: it is NaN, as in ONNX.
class Softmax final : public Kernel {
 public:
  Softmax(const OpInstance& op, bool logarithm)
      : axis_(op.inputs[0].type.shape, op.attributes.Int("axis", -1)), logarithm_(logarithm) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    for (int64_t line = 0; line < axis_.lines(); ++line) Line(x, y, line);
    return absl::OkStatus();
  }

 private:
  void Line(const float* x, float* y, int64_t line) const {
    double maximum = -HUGE_VAL;
    for (int64_t i = 0; i < axis_.n; ++i) maximum = std::max(maximum, At(x, line, i));
    double sum = 0;
    for (int64_t i = 0; i < axis_.n; ++i) sum += std::exp(At(x, line, i) - maximum);
    for (int64_t i = 0; i < axis_.n; ++i) {
      const double difference = At(x, line, i) - maximum;
      y[axis_.At(line, i)] = static_cast<float>(logarithm_ ? difference - std::log(sum)
                                                           : std::exp(difference) / sum);
    }
  }

  [[nodiscard]] double At(const float* x, int64_t line, int64_t i) const {
    return static_cast<double>(x[axis_.At(line, i)]);
  }

  const Axis axis_;
  const bool logarithm_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmax(const OpInstance& instance,
                                                    const KernelOptions& /*options*/) {
  return std::make_unique<Softmax>(instance, instance.op == "LogSoftmax");
}

}  // namespace rm::kernels::ref
