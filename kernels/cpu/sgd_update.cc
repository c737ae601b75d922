// SgdUpdate(w, g, m, hyper) → w, m in one pass over the flat memory.
//
// The update is bound by memory: three arrays are read and two are written, once each. The
// hyperparameters are an operand, so that a schedule changes them without making a new kernel.
#include "kernels/api/check_instance.h"
#include "kernels/cpu/element_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

// Enough work for a thread to be worth waking up. How a range is cut changes no bits
// (element_loops.h), so neither does the number of threads.
constexpr int64_t kGrain = 16384;  // elements a thread

class SgdUpdate final : public Kernel {
 public:
  SgdUpdate(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kElementLoops, v3::kElementLoops, v4::kElementLoops)),
        count_(op.inputs[0].type.elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* w = arguments.input<float>(0);
    const auto* g = arguments.input<float>(1);
    const auto* m = arguments.input<float>(2);
    const auto* hyper = arguments.input<float>(3);
    auto* w_out = arguments.output<float>(0);
    auto* m_out = arguments.output<float>(1);
    const SgdRule rule{hyper[0], hyper[1], hyper[2], hyper[3] != 0, hyper[4]};
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      loops_.sgd(w + begin, g + begin, m + begin, w_out + begin, m_out + begin, end - begin,
                 rule);
    });
    return absl::OkStatus();
  }

 private:
  const ElementLoops& loops_;
  const int64_t count_;
  const int threads_;
};

}  // namespace

bool SupportsSgdUpdate(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok();
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeSgdUpdate(const OpInstance& instance,
                                                      const KernelOptions& options) {
  return std::make_unique<SgdUpdate>(instance, options);
}

}  // namespace rm::kernels::cpu
