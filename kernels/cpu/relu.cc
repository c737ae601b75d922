// Relu(X) → Y and ReluGrad(dY, Y) → dX, of float32 or bfloat16: over memory as it lies, padding included (zero stays zero).
//
// Most relus of a model never come here: they are fused into the convolution or the product before
// them. Their gradients do; they run in place of dY and are bound by memory.
#include "kernels/api/bfloat16_form.h"
#include "kernels/cpu/bfloat16_loops.h"
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
  return IsLegalInEitherForm(op);
}

// The loops of both over one type.
template <typename Element>
struct ReluLoops {
  void (*relu)(const Element* x, Element* y, int64_t n);
  void (*relu_grad)(const Element* dy, const Element* y, Element* dx, int64_t n);
};

template <typename Element>
ReluLoops<Element> LoopsFor();
template <>
ReluLoops<float> LoopsFor<float>() {
  const ElementLoops& loops = ChooseIsa(v1::kElementLoops, v3::kElementLoops, v4::kElementLoops);
  return {loops.relu, loops.relu_grad};
}
template <>
ReluLoops<Bfloat16> LoopsFor<Bfloat16>() {
  const Bfloat16Loops& loops =
      ChooseIsa(v1::kBfloat16Loops, v3::kBfloat16Loops, v4::kBfloat16Loops);
  return {loops.relu, loops.relu_grad};
}

// A flat range of elements, whatever the shape; so is the gradient.
template <typename Element>
class Relu final : public Kernel {
 public:
  Relu(const OpInstance& op, const KernelOptions& options)
      : loop_(LoopsFor<Element>().relu),
        count_(op.outputs[0].type.physical_elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<Element>(0);
    auto* y = arguments.output<Element>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      loop_(x + begin, y + begin, end - begin);
    });
    return absl::OkStatus();
  }

 private:
  decltype(ReluLoops<Element>::relu) const loop_;
  const int64_t count_;
  const int threads_;
};

template <typename Element>
class ReluGrad final : public Kernel {
 public:
  ReluGrad(const OpInstance& op, const KernelOptions& options)
      : loop_(LoopsFor<Element>().relu_grad),
        count_(op.outputs[0].type.physical_elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* dy = arguments.input<Element>(0);
    const auto* y = arguments.input<Element>(1);
    auto* dx = arguments.output<Element>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      loop_(dy + begin, y + begin, dx + begin, end - begin);
    });
    return absl::OkStatus();
  }

 private:
  decltype(ReluLoops<Element>::relu_grad) const loop_;
  const int64_t count_;
  const int threads_;
};

// The kernel for the type of the operands.
template <template <typename> class KernelOf>
absl::StatusOr<std::unique_ptr<Kernel>> MakeFor(const OpInstance& op,
                                               const KernelOptions& options) {
  const bool narrow = op.outputs[0].type.dtype == DType::kBfloat16;
  if (narrow) return std::make_unique<KernelOf<Bfloat16>>(op, options);
  return std::make_unique<KernelOf<float>>(op, options);
}

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
  return MakeFor<Relu>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeReluGrad(const OpInstance& instance,
                                                     const KernelOptions& options) {
  return MakeFor<ReluGrad>(instance, options);
}

}  // namespace rm::kernels::cpu
