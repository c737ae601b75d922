// ReluGrad(dY, Y) → dX.
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// By Y, not X: where the output is zero nothing flows back, also at exactly zero.
class ReluGrad final : public Kernel {
 public:
  explicit ReluGrad(const OpInstance& op) : count_(op.inputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    const auto* y = arguments.input<float>(1);
    auto* dx = arguments.output<float>(0);
    // Y tells all that X would: it is positive exactly where X was. So X need not be kept.
    for (int64_t i = 0; i < count_; ++i) dx[i] = y[i] > 0 ? dy[i] : 0;
    return absl::OkStatus();
  }

 private:
  const int64_t count_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeReluGrad(const OpInstance& instance,
                                                     const KernelOptions& /*options*/) {
  return std::make_unique<ReluGrad>(instance);
}

}  // namespace rm::kernels::ref
