// Flatten(X) → Y and Reshape(X) → Y: the same elements under another shape.
#include <cstring>

#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Only needed where the graph could not make the output a view of the input.
class Copy final : public Kernel {
 public:
  explicit Copy(const OpInstance& op) : bytes_(op.inputs[0].type.bytes()) {}

  absl::Status Run(const Arguments& arguments) override {
    const void* x = arguments.inputs[0];
    void* y = arguments.outputs[0];
    if (x != y && bytes_ > 0) std::memcpy(y, x, bytes_);
    return absl::OkStatus();
  }

 private:
  const size_t bytes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeCopy(const OpInstance& instance,
                                                 const KernelOptions& /*options*/) {
  return std::make_unique<Copy>(instance);
}

}  // namespace rm::kernels::ref
