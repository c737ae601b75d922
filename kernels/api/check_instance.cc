#include "kernels/api/check_instance.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/op_signature.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// Only images have layouts.
absl::Status CheckLayouts(const std::vector<Operand>& operands, absl::string_view side) {
  for (size_t i = 0; i < operands.size(); ++i) {
    const TensorType& type = operands[i].type;
    if (!operands[i].present || type.layout == Layout::kPlain || type.shape.size() == 4) continue;
    return Misfit(side, " ", i, " is no image and must be plain");
  }
  return absl::OkStatus();
}

// The outputs are what the operator makes of the inputs; layouts are left to the kernels.
absl::Status Check(const OpInstance& instance) {
  RM_RETURN_IF_ERROR(CheckLayouts(instance.inputs, "input"));
  RM_RETURN_IF_ERROR(CheckLayouts(instance.outputs, "output"));
  OpInstance inferred = instance;
  RM_RETURN_IF_ERROR(InferOutputs(&inferred));
  for (size_t i = 0; i < instance.outputs.size(); ++i) {
    if (!instance.outputs[i].present) continue;
    TensorType expected = inferred.outputs[i].type;
    expected.layout = instance.outputs[i].type.layout;
    if (instance.outputs[i].type == expected) continue;
    return Misfit("output ", i, " must be ", expected.ToString());
  }
  return absl::OkStatus();
}

// An absent operand has no layout that could matter.
bool IsPlain(const Operand& operand) {
  return !operand.present || operand.type.layout == Layout::kPlain;
}

}  // namespace

absl::Status CheckInstance(const OpInstance& instance) {
  if (FindOpSignature(instance.op) == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no operator ", instance.op));
  }
  return base::Annotate(Check(instance), instance.ToString());
}

bool AllPlain(const OpInstance& instance) {
  return std::all_of(instance.inputs.begin(), instance.inputs.end(), &IsPlain) &&
         std::all_of(instance.outputs.begin(), instance.outputs.end(), &IsPlain);
}

}  // namespace rm::kernels
