// Cast(X) → Y between float32 and bfloat16, and Add of two bfloat16 tensors.
//
// Both are bound by memory: they are rare in a step, as values keep the type in which the convolutions
// around them want it.
#include "kernels/api/bfloat16_form.h"
#include "kernels/api/check_instance.h"
#include "kernels/cpu/bfloat16_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread

const Bfloat16Loops& Loops() {
  return ChooseIsa(v1::kBfloat16Loops, v3::kBfloat16Loops, v4::kBfloat16Loops);
}

// Over memory as it lies, padding included: zero stays zero.
class CastKernel final : public Kernel {
 public:
  CastKernel(const OpInstance& op, const KernelOptions& options)
      : loops_(Loops()),
        narrows_(op.outputs[0].type.dtype == DType::kBfloat16),
        count_(op.outputs[0].type.physical_elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      if (narrows_) {
        loops_.narrow(arguments.input<float>(0) + begin, arguments.output<Bfloat16>(0) + begin,
                      end - begin);
      } else {
        loops_.widen(arguments.input<Bfloat16>(0) + begin, arguments.output<float>(0) + begin,
                     end - begin);
      }
    });
    return absl::OkStatus();
  }

 private:
  const Bfloat16Loops& loops_;
  const bool narrows_;
  const int64_t count_;
  const int threads_;
};

class AddKernel final : public Kernel {
 public:
  AddKernel(const OpInstance& op, const KernelOptions& options)
      : add_(Loops().add),
        count_(op.outputs[0].type.physical_elements()),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* a = arguments.input<Bfloat16>(0);
    const auto* b = arguments.input<Bfloat16>(1);
    auto* y = arguments.output<Bfloat16>(0);
    ParallelFor(threads_, count_, kGrain, [&](int64_t begin, int64_t end) {
      add_(a + begin, b + begin, y + begin, end - begin);
    });
    return absl::OkStatus();
  }

 private:
  decltype(Bfloat16Loops::add) const add_;
  const int64_t count_;
  const int threads_;
};

}  // namespace

// In any one layout.
bool SupportsCast(const OpInstance& instance) {
  if (!CheckInstance(instance).ok()) return false;
  const TensorType& x = instance.inputs[0].type;
  const TensorType& y = instance.outputs[0].type;
  const bool narrows = x.dtype == DType::kFloat32 && y.dtype == DType::kBfloat16;
  const bool widens = x.dtype == DType::kBfloat16 && y.dtype == DType::kFloat32;
  return (narrows || widens) && x.layout == y.layout;
}

// Where X is; a blocked image stays one.
LayoutChoice ChooseCastLayouts(const OpInstance& instance, const KernelOptions& /*options*/) {
  const Layout layout = instance.inputs[0].type.layout;
  return {{layout}, {layout}};
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeCast(const OpInstance& instance,
                                                 const KernelOptions& options) {
  return std::make_unique<CastKernel>(instance, options);
}

// Of equal operands: nothing is broadcast.
bool SupportsBfloat16Add(const OpInstance& instance) {
  const TensorType& y = instance.outputs[0].type;
  return IsBfloat16Form(instance) && instance.inputs[0].type == y && instance.inputs[1].type == y;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeBfloat16Add(const OpInstance& instance,
                                                        const KernelOptions& options) {
  return std::make_unique<AddKernel>(instance, options);
}

}  // namespace rm::kernels::cpu
