// DropoutTraining(X, counters) → Y, and of dY the gradient: the same mask on both ways.
#include "kernels/api/dropout.h"

#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Rows are samples: their place in the global batch keys their numbers.
class DropoutTraining final : public Kernel {
 public:
  explicit DropoutTraining(const OpInstance& op)
      : rows_(op.inputs[0].type.shape[0]),
        elements_(rows_ == 0 ? 0 : op.inputs[0].type.elements() / rows_),
        stream_(op.attributes.Int("stream", 0)),
        threshold_(DropoutThreshold(op.attributes.Float("ratio", 0.5F))),
        factor_(1.0F / (1.0F - op.attributes.Float("ratio", 0.5F))) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    const auto* numbers = arguments.input<int64_t>(1);
    auto* y = arguments.output<float>(0);
    const DropoutCounters counters{numbers[0], numbers[1], numbers[2]};
    for (int64_t row = 0; row < rows_; ++row) {
      const uint64_t key = DropoutKey(counters, counters.first + row, stream_);
      for (int64_t i = 0; i < elements_; ++i) {
        const bool kept = DropoutWord(key, i) >= threshold_;
        y[row * elements_ + i] = kept ? x[row * elements_ + i] * factor_ : 0;
      }
    }
    return absl::OkStatus();
  }

 private:
  const int64_t rows_;
  const int64_t elements_;
  const int64_t stream_;
  const uint32_t threshold_;
  const float factor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeDropoutTraining(const OpInstance& instance,
                                                    const KernelOptions& /*options*/) {
  return std::make_unique<DropoutTraining>(instance);
}

}  // namespace rm::kernels::ref
