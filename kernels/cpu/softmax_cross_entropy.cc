// SoftmaxCrossEntropy(logits, labels, weights) → loss_sum, probabilities, and its gradient.
//
// Rows are taken one by one on one thread: the loss is a sum in double in the order of the rows,
// and its work is nothing beside the layers before it (3 µs for 128 rows of 10 classes).
#include "base/status.h"
#include "kernels/api/check_instance.h"
#include "kernels/api/labels.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/softmax_loops.h"

namespace rm::kernels::cpu {
namespace {

// What both directions share.
class LossKernel : public Kernel {
 public:
  explicit LossKernel(const OpInstance& op)
      : loops_(ChooseIsa(v1::kSoftmaxLoops, v3::kSoftmaxLoops, v4::kSoftmaxLoops)),
        rows_(op.inputs[1].type.elements()),
        classes_(op.inputs[0].type.shape.back()),
        smoothing_(op.attributes.Float("label_smoothing", 0.0F)) {}

 protected:
  const SoftmaxLoops& loops_;
  const int64_t rows_;
  const int64_t classes_;
  const float smoothing_;
};

// Forward. The probabilities are kept for the gradient, which needs nothing else of the logits.
class SoftmaxCrossEntropy final : public LossKernel {
 public:
  using LossKernel::LossKernel;

  absl::Status Run(const Arguments& arguments) override {
    const auto* logits = arguments.input<float>(0);    // (…, C)
    const auto* labels = arguments.input<int64_t>(1);  // (…)
    const auto* weights = arguments.input<float>(2);   // (…)
    auto* loss = arguments.output<float>(0);           // (1)
    auto* probabilities = arguments.output<float>(1);  // (…, C)
    RM_RETURN_IF_ERROR(CheckLabels(labels, weights, rows_, classes_));
    double sum = 0;
    for (int64_t row = 0; row < rows_; ++row) {
      const float* x = logits + row * classes_;
      const double log_total = loops_.softmax(x, probabilities + row * classes_, classes_);
      // The probabilities of such a row were computed all the same, as every output is written.
      if (weights[row] == 0) continue;
      sum += static_cast<double>(weights[row]) * RowLoss(x, log_total, labels[row]);
    }
    loss[0] = static_cast<float>(sum);
    return absl::OkStatus();
  }

 private:
  // −Σ target · log softmax(x), where the target is the label, smoothed.
  [[nodiscard]] double RowLoss(const float* x, double log_total, int64_t label) const {
    const auto smoothing = static_cast<double>(smoothing_);
    // −log softmax(x)[c] = log Σ exp(x) − x[c], which does not lose what exp would round away.
    const double loss = (1 - smoothing) * (log_total - static_cast<double>(x[label]));
    if (smoothing_ == 0) return loss;
    double all = 0;
    for (int64_t c = 0; c < classes_; ++c) all += log_total - static_cast<double>(x[c]);
    return loss + smoothing / static_cast<double>(classes_) * all;
  }
};

// Backward. May run in place of the probabilities.
class SoftmaxCrossEntropyGrad final : public LossKernel {
 public:
  using LossKernel::LossKernel;

  absl::Status Run(const Arguments& arguments) override {
    const auto* labels = arguments.input<int64_t>(1);  // (…)
    const auto* weights = arguments.input<float>(2);   // (…)
    const auto* scale = arguments.input<float>(3);     // (1)
    RM_RETURN_IF_ERROR(CheckLabels(labels, weights, rows_, classes_));
    for (int64_t row = 0; row < rows_; ++row) {
      const float* p = arguments.input<float>(0) + row * classes_;
      float* dlogits = arguments.output<float>(0) + row * classes_;
      Row(p, labels[row], weights[row], scale[0], dlogits);
    }
    return absl::OkStatus();
  }

 private:
  // In place, the label's probability is read before the row is written.
  void Row(const float* p, int64_t label, float weight, float scale, float* dlogits) const {
    const float off_target = smoothing_ / static_cast<float>(classes_);
    if (weight == 0) {
      for (int64_t c = 0; c < classes_; ++c) dlogits[c] = 0;
      return;
    }
    // Computed by itself: subtracting 1 from a scaled probability would cancel its digits.
    const float at_label = p[label] - (off_target + (1 - smoothing_));
    loops_.shift_and_scale(p, off_target, scale * weight, dlogits, classes_);
    dlogits[label] = at_label * (scale * weight);
  }
};

}  // namespace

// The loops want room for the probabilities.
bool SupportsSoftmaxCrossEntropy(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok() && instance.has_output(1) &&
         instance.inputs[0].type.shape.back() > 0;
}

bool SupportsSoftmaxCrossEntropyGrad(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok();
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxCrossEntropy(
    const OpInstance& instance, const KernelOptions& /*options*/) {
  return std::make_unique<SoftmaxCrossEntropy>(instance);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxCrossEntropyGrad(
    const OpInstance& instance, const KernelOptions& /*options*/) {
  return std::make_unique<SoftmaxCrossEntropyGrad>(instance);
}

}  // namespace rm::kernels::cpu
