// Shape rules as tables of cases: an operator, its operands' types, and the result or the error.
#ifndef RM_KERNELS_API_INFER_TESTING_H_
#define RM_KERNELS_API_INFER_TESTING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "kernels/api/op_signature.h"

namespace rm::kernels {

using Ints = std::vector<int64_t>;

// Shorthand for an operand: "[2, 3]" is float32, "labels" of int64 are Int64({2}).
inline TensorType Float(Shape shape) {
  return {DType::kFloat32, std::move(shape), Layout::kPlain};
}
inline TensorType Int64(Shape shape) {
  return {DType::kInt64, std::move(shape), Layout::kPlain};
}
inline TensorType UInt8(Shape shape) {
  return {DType::kUInt8, std::move(shape), Layout::kPlain};
}

// One use of an operator. `likes` are the types that the outputs must have, as gradients do; else
// there are `outputs` of them, free.
struct RuleCase {
  std::string op;
  std::vector<TensorType> inputs;
  Attributes attributes = {};
  int outputs = 1;
  std::vector<TensorType> likes = {};
};

// The outputs' types, "[2, 3], uint8 [2, 3]", or the error's message.
inline std::string Infer(const RuleCase& rule) {
  OpInstance instance;
  instance.op = rule.op;
  instance.attributes = rule.attributes;
  for (const TensorType& type : rule.inputs) instance.inputs.push_back({type, true});
  for (const TensorType& type : rule.likes) instance.outputs.push_back({type, true});
  if (rule.likes.empty()) instance.outputs.resize(static_cast<size_t>(rule.outputs));
  const absl::Status status = InferOutputs(&instance);
  if (!status.ok()) return std::string(status.message());
  return absl::StrJoin(instance.outputs, ", ", [](std::string* out, const Operand& operand) {
    absl::StrAppend(out, operand.type.ToString());
  });
}

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_INFER_TESTING_H_
