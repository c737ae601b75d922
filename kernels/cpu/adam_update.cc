// AdamUpdate(w, g, m, v, hyper) → w, m, v in one pass over the flat memory.
//
// Bound by memory: four arrays are read and three are written, once each. Roots and divisions hide
// behind the loads.
#include "kernels/api/check_instance.h"
#include "kernels/cpu/adam_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread, as for SgdUpdate

class AdamUpdate final : public Kernel {
 public:
  AdamUpdate(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kAdamLoops, v3::kAdamLoops, v4::kAdamLoops)),
        count_(op.inputs[0].type.elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const AdamMemory memory{arguments.input<float>(0),  arguments.input<float>(1),
                            arguments.input<float>(2),  arguments.input<float>(3),
                            arguments.output<float>(0), arguments.output<float>(1),
                            arguments.output<float>(2)};
    const auto* h = arguments.input<float>(4);
    const AdamRule rule{h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9]};
    ParallelFor(threads_, count_, kGrain,
                [&](int64_t begin, int64_t end) { loops_.adam(memory, begin, end, rule); });
    return absl::OkStatus();
  }

 private:
  const AdamLoops& loops_;
  const int64_t count_;
  const int threads_;
};

}  // namespace

bool SupportsAdamUpdate(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok();
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeAdamUpdate(const OpInstance& instance,
                                                       const KernelOptions& options) {
  return std::make_unique<AdamUpdate>(instance, options);
}

}  // namespace rm::kernels::cpu
