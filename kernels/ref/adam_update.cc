// AdamUpdate(w, g, m, v, hyper) → w, m, v: one step of Adam or AdamW by PyTorch's rule.
#include <cmath>

#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// In float32 throughout, as the fast kernels.
class AdamUpdate final : public Kernel {
 public:
  explicit AdamUpdate(const OpInstance& op) : count_(op.inputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* w = arguments.input<float>(0);
    const auto* g = arguments.input<float>(1);
    const auto* m = arguments.input<float>(2);
    const auto* v = arguments.input<float>(3);
    const auto* hyper = arguments.input<float>(4);
    auto* w_out = arguments.output<float>(0);
    auto* m_out = arguments.output<float>(1);
    auto* v_out = arguments.output<float>(2);
    const float rate = hyper[0];
    const float beta1 = hyper[1];
    const float rest1 = hyper[2];
    const float beta2 = hyper[3];
    const float rest2 = hyper[4];
    const float epsilon = hyper[5];
    const float decay = hyper[6];
    const float keep = hyper[7];
    const float correction = hyper[8];
    const float scale = hyper[9];
    for (int64_t i = 0; i < count_; ++i) {
      const float gradient = scale * g[i] + decay * w[i];
      const float mean = beta1 * m[i] + rest1 * gradient;
      const float square = beta2 * v[i] + rest2 * (gradient * gradient);
      w_out[i] = keep * w[i] - rate * mean / (std::sqrt(square) / correction + epsilon);
      m_out[i] = mean;
      v_out[i] = square;
    }
    return absl::OkStatus();
  }

 private:
  const int64_t count_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeAdamUpdate(const OpInstance& instance,
                                                       const KernelOptions& /*options*/) {
  return std::make_unique<AdamUpdate>(instance);
}

}  // namespace rm::kernels::ref
