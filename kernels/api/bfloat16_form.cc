#include "kernels/api/bfloat16_form.h"

#include "base/check.h"
#include "kernels/api/check_instance.h"

namespace rm::kernels {
namespace {

constexpr Bfloat16Use kAlways = Bfloat16Use::kAlways;
constexpr Bfloat16Use kFollows = Bfloat16Use::kFollows;

// Parameters, statistics by channel and gradients of parameters are float32 everywhere: they are
// small, or they are sums over the whole batch.
constexpr Bfloat16Form kForms[] = {
    {"Add", kFollows, 0b11, 0b1, 0},
    {"AveragePool", kFollows, 0b1, 0b1, 0},
    {"AveragePoolGrad", kFollows, 0b1, 0b1, 0},
    {"BatchNormGrad", kFollows, 0b100011, 0b1, 0},    // dY, X, Y
    {"BatchNormTraining", kFollows, 0b1001, 0b1, 0},  // X, residual
    {"BatchNormalization", kFollows, 0b1, 0b1, 0},
    {"Conv", kAlways, 0b1, 0b1, 0b10},
    {"ConvGradInput", kAlways, 0b1, 0b1, 0b10},
    {"ConvGradWeight", kAlways, 0b11, 0, 0},
    {"ConvTranspose", kAlways, 0b1, 0b1, 0b10},
    {"Gemm", kAlways, 0b11, 0, 0},
    {"GlobalAveragePool", kFollows, 0b1, 0b1, 0},
    {"GlobalAveragePoolGrad", kFollows, 0b1, 0b1, 0},
    {"MatMul", kAlways, 0b11, 0, 0},
    {"MaxPool", kFollows, 0b1, 0b1, 0},
    {"MaxPoolGrad", kFollows, 0b1, 0b1, 0},
    {"Relu", kFollows, 0b1, 0b1, 0},
    {"ReluGrad", kFollows, 0b11, 0b1, 0},
};

// Gives each operand that is one of the two the dtype that `is_narrow` wants for it.
template <typename IsNarrow>
void SetDTypes(std::vector<Operand>* operands, const IsNarrow& is_narrow) {
  for (size_t i = 0; i < operands->size(); ++i) {
    DType& dtype = (*operands)[i].type.dtype;
    if (dtype != DType::kFloat32 && dtype != DType::kBfloat16) continue;
    dtype = (*operands)[i].present && is_narrow(i) ? DType::kBfloat16 : DType::kFloat32;
  }
}

bool SameDTypes(const std::vector<Operand>& a, const std::vector<Operand>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].present && a[i].type.dtype != b[i].type.dtype) return false;
  }
  return true;
}

}  // namespace

absl::Span<const Bfloat16Form> Bfloat16Forms() { return kForms; }

const Bfloat16Form* FindBfloat16Form(absl::string_view op) {
  for (const Bfloat16Form& form : kForms) {
    if (op == form.op) return &form;
  }
  return nullptr;
}

OpInstance Narrowed(OpInstance instance) {
  const Bfloat16Form* form = FindBfloat16Form(instance.op);
  RM_CHECK(form != nullptr, instance.op, " has no form in bfloat16");
  SetDTypes(&instance.inputs, [form](size_t i) { return form->takes(i); });
  SetDTypes(&instance.outputs, [form](size_t i) { return form->gives(i); });
  return instance;
}

OpInstance Widened(OpInstance instance) {
  SetDTypes(&instance.inputs, [](size_t) { return false; });
  SetDTypes(&instance.outputs, [](size_t) { return false; });
  return instance;
}

// Rules of shapes are those of float32, so that each is written once.
bool IsBfloat16Form(const OpInstance& instance) {
  const Bfloat16Form* form = FindBfloat16Form(instance.op);
  if (form == nullptr) return false;
  for (size_t i = 0; i < instance.inputs.size(); ++i) {
    const Operand& input = instance.inputs[i];
    if (form->takes(i) && input.present && input.type.dtype != DType::kBfloat16) return false;
  }
  const OpInstance narrowed = Narrowed(instance);
  return SameDTypes(instance.inputs, narrowed.inputs) &&
         SameDTypes(instance.outputs, narrowed.outputs) && CheckInstance(Widened(instance)).ok();
}

bool IsLegalInEitherForm(const OpInstance& instance) {
  return CheckInstance(instance).ok() || IsBfloat16Form(instance);
}

}  // namespace rm::kernels
