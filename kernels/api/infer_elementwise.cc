// Functions of one tensor, their gradients, and what combines tensors element by element.
#include <algorithm>

#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// "A", "B", … for the operands of a broadcast, as the ONNX specification names the first two.
std::string OperandName(size_t i) { return std::string(1, static_cast<char>('A' + i % 26)); }

// All operands are there and have the first one's dtype.
absl::Status RequireOneType(const OpInstance& instance) {
  const DType dtype = instance.inputs[0].type.dtype;
  for (size_t i = 1; i < instance.inputs.size(); ++i) {
    if (!instance.has_input(i)) return Misfit(OperandName(i), " is absent");
    RM_RETURN_IF_ERROR(RequireType(instance, i, OperandName(i), dtype));
  }
  return absl::OkStatus();
}

// Operand 0 is of one of these dtypes, and all others are of the same.
absl::Status RequireOneTypeOf(const OpInstance& instance, std::initializer_list<DType> dtypes) {
  const DType dtype = instance.inputs[0].type.dtype;
  if (std::count(dtypes.begin(), dtypes.end(), dtype) == 0) {
    std::string names;
    for (const DType each : dtypes) {
      absl::StrAppend(&names, names.empty() ? "" : " or ", DTypeName(each));
    }
    return Misfit("A is ", DTypeName(dtype), ", it must be ", names);
  }
  return RequireOneType(instance);
}

constexpr std::initializer_list<DType> kNumbers = {DType::kFloat32, DType::kInt64, DType::kInt32};

// Output 0 has the shape to which all inputs broadcast.
absl::Status SetBroadcast(OpInstance* instance, DType dtype) {
  Shape shape = InputShape(*instance, 0);
  for (size_t i = 1; i < instance->inputs.size(); ++i) {
    RM_ASSIGN_OR_RETURN(shape, Broadcast(shape, InputShape(*instance, i)));
  }
  SetOutput(instance, 0, std::move(shape), dtype);
  return absl::OkStatus();
}

absl::Status RequireApproximation(const Attributes& attributes) {
  const std::string approximate = attributes.String("approximate", "none");
  if (approximate == "none" || approximate == "tanh") return absl::OkStatus();
  return Misfit("attribute approximate is '", approximate, "', it must be none or tanh");
}

}  // namespace

absl::Status InferArithmetic(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireOneTypeOf(*instance, kNumbers));
  return SetBroadcast(instance, instance->inputs[0].type.dtype);
}

// The sign of a remainder of floats is only defined by C's fmod.
absl::Status InferMod(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireOneTypeOf(*instance, kNumbers));
  const DType dtype = instance->inputs[0].type.dtype;
  if (dtype == DType::kFloat32 && instance->attributes.Int("fmod", 0) == 0) {
    return Misfit("attribute fmod must be 1 for float32");
  }
  return SetBroadcast(instance, dtype);
}

absl::Status InferPow(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireOneTypeOf(*instance, {DType::kFloat32}));
  return SetBroadcast(instance, DType::kFloat32);
}

absl::Status InferEqual(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireOneType(*instance));
  return SetBroadcast(instance, DType::kBool);
}

absl::Status InferCompare(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireOneTypeOf(*instance, kNumbers));
  return SetBroadcast(instance, DType::kBool);
}

absl::Status InferLogic(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireOneTypeOf(*instance, {DType::kBool}));
  return SetBroadcast(instance, DType::kBool);
}

// Here operand 0 chooses between the other two.
absl::Status InferWhere(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "condition", DType::kBool));
  const DType dtype = instance->inputs[1].type.dtype;
  RM_RETURN_IF_ERROR(RequireType(*instance, 2, "Y", dtype));
  return SetBroadcast(instance, dtype);
}

absl::Status InferIsNaN(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
  return SetBroadcast(instance, DType::kBool);
}

absl::Status InferSigned(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireOneTypeOf(*instance, kNumbers));
  return SetBroadcast(instance, instance->inputs[0].type.dtype);
}

absl::Status InferUnary(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireApproximation(instance->attributes));
  SetOutput(instance, 0, InputShape(*instance, 0));
  return absl::OkStatus();
}

// Operand 1 is X or Y, whichever tells the slope.
absl::Status InferUnaryGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "dY", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "operand 1", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireApproximation(instance->attributes));
  RM_RETURN_IF_ERROR(RequireShape("dY", InputShape(*instance, 0), InputShape(*instance, 1)));
  SetOutput(instance, 0, InputShape(*instance, 1));
  return absl::OkStatus();
}

}  // namespace rm::kernels
