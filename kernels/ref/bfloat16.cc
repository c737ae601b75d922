#include "kernels/ref/bfloat16.h"

#include "base/check.h"
#include "kernels/api/bfloat16_form.h"
#include "kernels/api/check_instance.h"
#include "kernels/api/widened_kernel.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

void Widen(const Bfloat16* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = ToFloat(from[i]);
}

void Narrow(const float* from, Bfloat16* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = ToBfloat16(from[i]);
}

bool PlainForm(const OpInstance& instance) {
  return AllPlain(instance) && IsBfloat16Form(instance);
}

absl::StatusOr<std::unique_ptr<Kernel>> Make(const OpInstance& instance,
                                             const KernelOptions& options) {
  const KernelEntry* entry = FindKernel(Table(), Widened(instance));
  RM_CHECK(entry != nullptr, "no reference for ", instance.ToString());
  return MakeWidenedKernel(instance, *entry, options, {&Widen, &Narrow});
}

// In place as in float32: operands are read into copies before anything is written.
constexpr KernelEntry kTable[] = {
    {"Add", "ref_add_bf16", &PlainForm, nullptr, &Make, -1},
    {"AveragePool", "ref_average_pool_bf16", &PlainForm, nullptr, &Make, -1},
    {"AveragePoolGrad", "ref_average_pool_grad_bf16", &PlainForm, nullptr, &Make, -1},
    {"BatchNormGrad", "ref_batch_norm_grad_bf16", &PlainForm, nullptr, &Make, 0},
    {"BatchNormTraining", "ref_batch_norm_training_bf16", &PlainForm, nullptr, &Make, 3},
    {"BatchNormalization", "ref_batch_norm_bf16", &PlainForm, nullptr, &Make, 0},
    {"Conv", "ref_conv_bf16", &PlainForm, nullptr, &Make, -1},
    {"ConvGradInput", "ref_conv_grad_input_bf16", &PlainForm, nullptr, &Make, -1},
    {"ConvGradWeight", "ref_conv_grad_weight_bf16", &PlainForm, nullptr, &Make, -1},
    {"ConvTranspose", "ref_conv_transpose_bf16", &PlainForm, nullptr, &Make, -1},
    {"Gemm", "ref_gemm_bf16", &PlainForm, nullptr, &Make, -1},
    {"GlobalAveragePool", "ref_global_average_pool_bf16", &PlainForm, nullptr, &Make, -1},
    {"GlobalAveragePoolGrad", "ref_global_average_pool_grad_bf16", &PlainForm, nullptr, &Make, -1},
    {"MatMul", "ref_matmul_bf16", &PlainForm, nullptr, &Make, -1},
    {"MaxPool", "ref_max_pool_bf16", &PlainForm, nullptr, &Make, -1},
    {"MaxPoolGrad", "ref_max_pool_grad_bf16", &PlainForm, nullptr, &Make, -1},
    {"Relu", "ref_relu_bf16", &PlainForm, nullptr, &Make, 0},
    {"ReluGrad", "ref_relu_grad_bf16", &PlainForm, nullptr, &Make, 0},
};

}  // namespace

KernelTable Bfloat16Table() { return kTable; }

}  // namespace rm::kernels::ref
