#include "kernels/cpu/widened.h"

#include "kernels/api/bfloat16_form.h"
#include "kernels/api/widened_kernel.h"
#include "kernels/cpu/bfloat16_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/table.h"

namespace rm::kernels::cpu {
namespace {

const KernelEntry* WideEntry(const OpInstance& instance) {
  return FindKernel(Table(), Widened(instance));
}

bool Supported(const OpInstance& instance) {
  return IsBfloat16Form(instance) && WideEntry(instance) != nullptr;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeIt(const OpInstance& instance,
                                               const KernelOptions& options) {
  const Bfloat16Loops& loops =
      ChooseIsa(v1::kBfloat16Loops, v3::kBfloat16Loops, v4::kBfloat16Loops);
  return MakeWidenedKernel(instance, *WideEntry(instance), options, {loops.widen, loops.narrow});
}

// Layouts are those of the float32 rows: what is copied is copied as it lies.
constexpr KernelEntry kTable[] = {
    {"AveragePoolGrad", "widened_average_pool_grad", &Supported, &ChooseAveragePoolLayouts, &MakeIt,
     -1},
    {"Conv", "widened_conv", &Supported, &ChooseConvLayouts, &MakeIt, -1},
    {"ConvGradInput", "widened_conv_grad_input", &Supported, &ChooseConvGradInputLayouts, &MakeIt,
     -1},
    {"ConvGradWeight", "widened_conv_grad_weight", &Supported, &ChooseConvGradWeightLayouts,
     &MakeIt, -1},
    {"ConvTranspose", "widened_conv_transpose", &Supported, &ChooseConvGradInputLayouts, &MakeIt,
     -1},
    {"Gemm", "widened_gemm", &Supported, nullptr, &MakeIt, -1},
    {"MatMul", "widened_matmul", &Supported, nullptr, &MakeIt, -1},
    {"MaxPool", "widened_max_pool", &Supported, &ChooseMaxPoolLayouts, &MakeIt, -1},
    {"MaxPoolGrad", "widened_max_pool_grad", &Supported, &ChooseMaxPoolGradLayouts, &MakeIt, -1},
};

}  // namespace

KernelTable WidenedTable() { return kTable; }

}  // namespace rm::kernels::cpu
