// SoftmaxCrossEntropyGrad(probabilities, labels, weights, scale) → dlogits.
#include "base/status.h"
#include "kernels/api/labels.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// A row of weight 0 gets zeros, even when its label is out of range.
class SoftmaxCrossEntropyGrad final : public Kernel {
 public:
  explicit SoftmaxCrossEntropyGrad(const OpInstance& op)
      : rows_(op.inputs[1].type.elements()),
        classes_(op.inputs[0].type.shape.back()),
        smoothing_(op.attributes.Float("label_smoothing", 0.0F)) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* probabilities = arguments.input<float>(0);  // (…, C)
    const auto* labels = arguments.input<int64_t>(1);       // (…)
    const auto* weights = arguments.input<float>(2);        // (…)
    const auto* scale = arguments.input<float>(3);          // (1)
    auto* dlogits = arguments.output<float>(0);             // (…, C)
    RM_RETURN_IF_ERROR(CheckLabels(labels, weights, rows_, classes_));
    // Label smoothing takes a share from the label and spreads it over all classes, the label too.
    const float off_target = smoothing_ / static_cast<float>(classes_);
    for (int64_t row = 0; row < rows_; ++row) {
      for (int64_t c = 0; c < classes_; ++c) {
        const int64_t i = row * classes_ + c;
        const float target = off_target + (c == labels[row] ? 1 - smoothing_ : 0);
        dlogits[i] =
            weights[row] == 0 ? 0 : scale[0] * weights[row] * (probabilities[i] - target);
      }
    }
    return absl::OkStatus();
  }

 private:
  const int64_t rows_;
  const int64_t classes_;
  const float smoothing_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxCrossEntropyGrad(
    const OpInstance& instance, const KernelOptions& /*options*/) {
  return std::make_unique<SoftmaxCrossEntropyGrad>(instance);
}

}  // namespace rm::kernels::ref
