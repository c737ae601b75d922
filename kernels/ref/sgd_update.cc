// SgdUpdate(w, g, m, hyper) → w, m: one step of stochastic gradient descent by PyTorch's rule.
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// In float32 throughout, as the fast kernels: the update is part of what equal runs must agree on
// bit for bit.
class SgdUpdate final : public Kernel {
 public:
  explicit SgdUpdate(const OpInstance& op) : count_(op.inputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* w = arguments.input<float>(0);
    const auto* g = arguments.input<float>(1);
    const auto* m = arguments.input<float>(2);
    const auto* hyper = arguments.input<float>(3);
    auto* w_out = arguments.output<float>(0);
    auto* m_out = arguments.output<float>(1);
    const float rate = hyper[0];
    const float momentum = hyper[1];
    const float decay = hyper[2];
    const bool nesterov = hyper[3] != 0;
    const float scale = hyper[4];
    // All of w, g and m are read before w_out and m_out are written, element by element: in place
    // works.
    for (int64_t i = 0; i < count_; ++i) {
      const float gradient = scale * g[i] + decay * w[i];
      const float velocity = momentum * m[i] + gradient;
      const float step = nesterov ? gradient + momentum * velocity : velocity;
      w_out[i] = w[i] - rate * step;
      m_out[i] = velocity;
    }
    return absl::OkStatus();
  }

 private:
  const int64_t count_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeSgdUpdate(const OpInstance& instance,
                                                      const KernelOptions& /*options*/) {
  return std::make_unique<SgdUpdate>(instance);
}

}  // namespace rm::kernels::ref
