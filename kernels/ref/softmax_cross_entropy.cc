// SoftmaxCrossEntropy(logits, labels, weights) → loss_sum[, probabilities].
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "kernels/api/labels.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// The maximum of a row is taken out before exp, so that large logits do not overflow; the loss is
// summed in double over the rows, in order.
class SoftmaxCrossEntropy final : public Kernel {
 public:
  explicit SoftmaxCrossEntropy(const OpInstance& op)
      : rows_(op.inputs[1].type.elements()),
        classes_(op.inputs[0].type.shape.back()),
        smoothing_(static_cast<double>(op.attributes.Float("label_smoothing", 0.0F))) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* logits = arguments.input<float>(0);    // (…, C)
    const auto* labels = arguments.input<int64_t>(1);  // (…)
    const auto* weights = arguments.input<float>(2);   // (…)
    auto* loss = arguments.output<float>(0);           // (1)
    auto* probabilities = arguments.output<float>(1);  // (…, C) or nullptr
    RM_RETURN_IF_ERROR(CheckLabels(labels, weights, rows_, classes_));
    double sum = 0;
    for (int64_t row = 0; row < rows_; ++row) {
      const float* x = logits + row * classes_;
      const double log_total = LogSumExp(x);
      if (probabilities != nullptr) {
        for (int64_t c = 0; c < classes_; ++c) {
          probabilities[row * classes_ + c] =
              static_cast<float>(std::exp(static_cast<double>(x[c]) - log_total));
        }
      }
      // Not only 0 · loss: a padded row may hold NaN, and its label need not be a class.
      if (weights[row] == 0) continue;
      sum += static_cast<double>(weights[row]) * RowLoss(x, log_total, labels[row]);
    }
    loss[0] = static_cast<float>(sum);
    return absl::OkStatus();
  }

 private:
  // log Σ exp(x), without overflow.
  [[nodiscard]] double LogSumExp(const float* x) const {
    const auto maximum = static_cast<double>(*std::max_element(x, x + classes_));
    double sum = 0;
    for (int64_t c = 0; c < classes_; ++c) sum += std::exp(static_cast<double>(x[c]) - maximum);
    return maximum + std::log(sum);
  }

  // −Σ target · log softmax(x), where the target is the label, smoothed.
  [[nodiscard]] double RowLoss(const float* x, double log_total, int64_t label) const {
    double loss = (1 - smoothing_) * (log_total - static_cast<double>(x[label]));
    if (smoothing_ == 0) return loss;
    for (int64_t c = 0; c < classes_; ++c) {
      loss += smoothing_ / static_cast<double>(classes_) * (log_total - static_cast<double>(x[c]));
    }
    return loss;
  }

  const int64_t rows_;
  const int64_t classes_;
  const double smoothing_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxCrossEntropy(
    const OpInstance& instance, const KernelOptions& /*options*/) {
  return std::make_unique<SoftmaxCrossEntropy>(instance);
}

}  // namespace rm::kernels::ref
