// Relu(X) → Y and ReluGrad(dY, Y) → dX: over memory as it lies, padding included (zero stays zero).
//
// Most relus of a model never come here: they are fused into the convolution or the product before
// them. Their gradients do; they run in place of dY and are bound by memory.
#include "kernels/api/check_instance.h"
#include "kernels/cpu/element_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

// Elements below which a second thread costs more than it gives.
constexpr int64_t kGrain = 16384;

// One layout for all operands.
bool SameLayouts(const OpInstance& op) {
  for (const Operand& input : op.inputs) {
    if (input.type.layout != op.outputs[0].type.layout) return false;
  }
  return CheckInstance(op).ok();
}

// What both share: a flat range of elements, whatever the shape.
class ElementKernel : public Kernel {
 public:
  ElementKernel(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kElementLoops, v3::kElementLoops, v4::kElementLoops)),
        count_(op.outputs[0].type.physical_elements()),
        threads_(options.threads) {}

 protected:
  const ElementLoops& loops_;
  const int64_t count_;
  const int threads_;
};

class Relu final : public ElementKernel {
 public:
  using ElementKernel::ElementKernel;

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    auto* y = arguments.output<float>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      loops_.relu(x + begin, y + begin, end - begin);
    });
    return absl::OkStatus();
  }
};

class ReluGrad final : public ElementKernel {
 public:
  using ElementKernel::ElementKernel;

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<float>(0);
    const auto* y = arguments.input<float>(1);
    auto* dx = arguments.output<float>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      loops_.relu_grad(dy + begin, y + begin, dx + begin, end - begin);
    });
    return absl::OkStatus();
  }
};

}  // namespace

bool SupportsRelu(const OpInstance& instance) { return SameLayouts(instance); }

bool SupportsReluGrad(const OpInstance& instance) { return SameLayouts(instance); }

// Any layout is as good as another; the input's costs no reorder.
LayoutChoice ChooseReluLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const Layout layout = instance.inputs[0].type.layout;
  return {{layout}, {layout}};
}

// Y's layout is that of the forward pass, in which the rest of the backward pass goes on.
LayoutChoice ChooseReluGradLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const Layout layout = instance.inputs[1].type.layout;
  return {{layout, layout}, {layout}};
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeRelu(const OpInstance& instance,
                                                 const KernelOptions& options) {
  return std::make_unique<Relu>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeReluGrad(const OpInstance& instance,
                                                     const KernelOptions& options) {
  return std::make_unique<ReluGrad>(instance, options);
}

}  // namespace rm::kernels::cpu
