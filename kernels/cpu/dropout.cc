// DropoutTraining(X, counters) → Y. The mask costs no memory: forward and backward compute it, at less than
// the time in which a vector comes from memory.
#include "kernels/api/dropout.h"

#include <algorithm>

#include "kernels/api/check_instance.h"
#include "kernels/cpu/dropout_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread

class DropoutTraining final : public Kernel {
 public:
  DropoutTraining(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kDropoutLoops, v3::kDropoutLoops, v4::kDropoutLoops)),
        count_(op.inputs[0].type.elements()),
        elements_(count_ / std::max<int64_t>(1, op.inputs[0].type.shape[0])),
        stream_(op.attributes.Int("stream", 0)),
        threshold_(DropoutThreshold(op.attributes.Float("ratio", 0.5F))),
        factor_(1.0F / (1.0F - op.attributes.Float("ratio", 0.5F))),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    const auto* numbers = arguments.input<int64_t>(1);
    auto* y = arguments.output<float>(0);
    const DropoutCounters counters{numbers[0], numbers[1], numbers[2]};
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      // Row by row, and in each the part that this thread has.
      for (int64_t at = begin; at < end;) {
        const int64_t row = at / elements_;
        const int64_t row_begin = row * elements_;
        const int64_t stop = std::min(end, row_begin + elements_);
        const uint64_t key = DropoutKey(counters, counters.first + row, stream_);
        const DropoutRule rule{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32),
                               threshold_, factor_};
        loops_.dropout(x + row_begin, y + row_begin, at - row_begin, stop - row_begin, rule);
        at = stop;
      }
    });
    return absl::OkStatus();
  }

 private:
  const DropoutLoops& loops_;
  const int64_t count_;
  const int64_t elements_;
  const int64_t stream_;
  const uint32_t threshold_;
  const float factor_;
  const int threads_;
};

}  // namespace

bool SupportsDropoutTraining(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok();
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeDropoutTraining(const OpInstance& instance,
                                                    const KernelOptions& options) {
  return std::make_unique<DropoutTraining>(instance, options);
}

}  // namespace rm::kernels::cpu
