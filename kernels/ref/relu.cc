// Relu(X) → Y.
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Works on the memory as it lies, padding of blocked layouts included: zero stays zero.
class Relu final : public Kernel {
 public:
  explicit Relu(const OpInstance& op) : count_(op.inputs[0].type.elements()) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    // A NaN stays a NaN.
    for (int64_t i = 0; i < count_; ++i) y[i] = x[i] < 0 ? 0 : x[i];
    return absl::OkStatus();
  }

 private:
  const int64_t count_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeRelu(const OpInstance& instance,
                                                 const KernelOptions& /*options*/) {
  return std::make_unique<Relu>(instance);
}

}  // namespace rm::kernels::ref
