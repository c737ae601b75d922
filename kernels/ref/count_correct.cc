// CountCorrect(logits, labels, weights) → count.
#include <algorithm>

#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// The first of equal maxima is the answer, as argmax has it; a row of weight 0 counts for nothing,
// whatever its label. Evaluation runs it once a batch, so there is no faster version.
class CountCorrect final : public Kernel {
 public:
  explicit CountCorrect(const OpInstance& op)
      : rows_(op.inputs[1].type.elements()), classes_(op.inputs[0].type.shape.back()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* logits = arguments.input<float>(0);    // (…, C)
    const auto* labels = arguments.input<int64_t>(1);  // (…)
    const auto* weights = arguments.input<float>(2);   // (…)
    auto* count = arguments.output<float>(0);          // (1)
    double sum = 0;
    for (int64_t row = 0; row < rows_; ++row) {
      const float* x = logits + row * classes_;
      // max_element returns the first of equal maxima.
      if (std::max_element(x, x + classes_) - x == labels[row]) {
        sum += static_cast<double>(weights[row]);
      }
    }
    count[0] = static_cast<float>(sum);
    return absl::OkStatus();
  }

 private:
  const int64_t rows_;
  const int64_t classes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeCountCorrect(const OpInstance& instance,
                                                         const KernelOptions& /*options*/) {
  return std::make_unique<CountCorrect>(instance);
}

}  // namespace rm::kernels::ref
