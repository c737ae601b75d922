// Operators element by element whose ONNX form allows more than the canonical one.
#include <limits>
#include <string>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

// The value in another dtype; itself when it has that one.
absl::StatusOr<ValueId> Casted(BindContext* context, ValueId value, const std::string& to,
                               absl::string_view suffix) {
  if (kernels::DTypeName(context->type(value).dtype) == to) return value;
  return context->Append("Cast", {value}, {{"to", to}}, suffix);
}

absl::Status BecomeCasted(BindContext* context, const std::string& to) {
  RM_ASSIGN_OR_RETURN(const ValueId output, Casted(context, context->input(0), to, ""));
  context->SetOutput(0, output);
  return absl::OkStatus();
}

// A bound of a Clip: an operand, an attribute, or none.
absl::Status ReadBound(BindContext* context, size_t input, const char* name,
                       kernels::Attributes* attributes) {
  if (context->has_input(input)) {
    RM_ASSIGN_OR_RETURN(const double bound, context->Number(input, name));
    attributes->Set(name, static_cast<float>(bound));
  } else if (context->node().attributes.Has(name)) {
    attributes->Set(name, context->node().attributes.Float(name, 0));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BindCast(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  return BecomeCasted(context, context->node().attributes.String("to", ""));
}

absl::Status BindCastLike(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  return BecomeCasted(context, kernels::DTypeName(context->type(context->input(1)).dtype));
}

// Integers are clipped by Max and Min, which take them.
absl::Status BindClip(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  ValueId value = context->input(0);
  if (context->type(value).dtype != DType::kFloat32) {
    if (context->has_input(1)) {
      RM_ASSIGN_OR_RETURN(value, context->Append("Max", {value, context->input(1)}, {}, "/min"));
    }
    if (context->has_input(2)) {
      RM_ASSIGN_OR_RETURN(value, context->Append("Min", {value, context->input(2)}));
    }
    context->SetOutput(0, value);
    return absl::OkStatus();
  }
  kernels::Attributes bounds;
  RM_RETURN_IF_ERROR(ReadBound(context, 1, "min", &bounds));
  RM_RETURN_IF_ERROR(ReadBound(context, 2, "max", &bounds));
  if (bounds.all().empty()) return BindIdentity(context);
  return context->Become("Clip", {value}, bounds);
}

// Shape arithmetic negates integers, as in "all but the last n": 0 − n is the same on every kernel
// table, whatever types its Neg takes.
absl::Status BindNeg(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const ValueId value = context->input(0);
  const DType dtype = context->type(value).dtype;
  if (dtype == DType::kFloat32) return context->Become("Neg", {value});
  RM_ASSIGN_OR_RETURN(const ValueId zero, context->Filled("/zero", dtype, {}, 0));
  return context->Become("Sub", {zero, value});
}

// The exponent may be of another dtype, and integers have powers too: both go through float32. The
// result has the base's dtype.
absl::Status BindPow(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  const std::string dtype = kernels::DTypeName(context->type(context->input(0)).dtype);
  RM_ASSIGN_OR_RETURN(const ValueId base,
                      Casted(context, context->input(0), "float32", "/base"));
  RM_ASSIGN_OR_RETURN(const ValueId exponent,
                      Casted(context, context->input(1), "float32", "/exponent"));
  RM_ASSIGN_OR_RETURN(const ValueId power, context->Append("Pow", {base, exponent}, {},
                                                           dtype == "float32" ? "" : "/power"));
  RM_ASSIGN_OR_RETURN(const ValueId output, Casted(context, power, dtype, ""));
  context->SetOutput(0, output);
  return absl::OkStatus();
}

// One operand after the other.
absl::Status BindSum(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(std::max(context->node().inputs.size(), size_t{1})));
  const std::vector<ValueId> operands = context->inputs();
  ValueId sum = operands[0];
  for (size_t i = 1; i < operands.size(); ++i) {
    RM_ASSIGN_OR_RETURN(sum, context->Append("Add", {sum, operands[i]}, {},
                                             i + 1 == operands.size() ? "" : "/part"));
  }
  context->SetOutput(0, sum);
  return absl::OkStatus();
}

}  // namespace rm::graph
