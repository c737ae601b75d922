// Normalisation, dropout and products of matrices.
#include <string>
#include <utility>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/axes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

using Ints = std::vector<int64_t>;

// Exports in evaluation mode have no dropout at all; those that were made in training mode, or by hand,
// have the node with its flag.
//
// Whether the node drops anything in training: one of ours does; one of a file only with its flag
// set, as models exported for training have it.
absl::StatusOr<bool> DropsInTraining(BindContext* context) {
  if (!context->has_input(1) && !context->has_input(2)) {
    return context->node().attributes.Has("ratio");
  }
  if (!context->has_input(2)) return false;
  RM_ASSIGN_OR_RETURN(const double flag, context->Number(2, "training_mode"));
  return flag != 0;
}

}  // namespace

// Stays for those who prepare the graph for training or for use (runtime/graph/prepare.h), with its
// ratio as an attribute, or goes at once.
absl::Status BindDropout(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  if (context->output_is_used(1)) return Misfit("its output 'mask' is used, which is not known");
  RM_ASSIGN_OR_RETURN(const bool drops, DropsInTraining(context));
  double ratio = static_cast<double>(context->node().attributes.Float("ratio", 0.5F));
  if (context->has_input(1)) {
    RM_ASSIGN_OR_RETURN(ratio, context->Number(1, "ratio"));
  }
  const ValueId x = context->input(0);
  const bool kept = drops && ratio != 0 && !context->is_constant(x);
  context->SetOutput(0, kept ? context->AppendLike("Dropout", x,
                                                   {{"ratio", static_cast<float>(ratio)}})
                             : x);
  return absl::OkStatus();
}

// The inference form, whatever the export says: training switches it over (runtime/graph/training.h).
// Running statistics that the node would return are those of PyTorch's rule, not of ONNX's.
absl::Status BindBatchNormalization(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(5));
  for (size_t i = 1; i < context->node().outputs.size(); ++i) {
    if (context->output_is_used(i)) {
      return Misfit("its output ", i, " is used; running statistics are kept by the trainer");
    }
  }
  const kernels::Attributes& given = context->node().attributes;
  kernels::Attributes attributes = {{"epsilon", given.Float("epsilon", 1e-5F)}};
  if (given.Has("momentum")) attributes.Set("momentum", given.Float("momentum", 0.9F));
  return context->Become("BatchNormalization", context->inputs(), attributes);
}

absl::Status BindLayerNormalization(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  const kernels::Attributes& given = context->node().attributes;
  const size_t rank = context->shape(context->input(0)).size();
  RM_ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(given, -1, rank));
  size_t outputs = 1;
  for (size_t i = 1; i < context->node().outputs.size(); ++i) {
    if (context->output_is_used(i)) outputs = i + 1;
  }
  RM_ASSIGN_OR_RETURN(
      const std::vector<ValueId> results,
      context->AppendMany("LayerNormalization", context->inputs(), outputs,
                          {{"axis", axis}, {"epsilon", given.Float("epsilon", 1e-5F)}}));
  for (size_t i = 0; i < outputs; ++i) context->SetOutput(i, results[i]);
  return absl::OkStatus();
}

// A vector is a matrix of one row (in front) or one column (behind), and loses that again.
absl::Status BindMatMul(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  const kernels::Attributes& attributes = context->node().attributes;
  ValueId a = context->input(0);
  ValueId b = context->input(1);
  const Ints a_shape = context->shape(a);
  const Ints b_shape = context->shape(b);
  if (a_shape.size() >= 2 && b_shape.size() >= 2) {
    return context->Become("MatMul", {a, b}, attributes);
  }
  if (a_shape.empty() || b_shape.empty()) return Misfit("a scalar is no matrix");
  if (a_shape.size() == 1) {
    RM_ASSIGN_OR_RETURN(a, context->Reshaped(a, {1, a_shape[0]}, "/row"));
  }
  if (b_shape.size() == 1) {
    RM_ASSIGN_OR_RETURN(b, context->Reshaped(b, {b_shape[0], 1}, "/column"));
  }
  RM_ASSIGN_OR_RETURN(const ValueId product,
                      context->Append("MatMul", {a, b}, attributes, "/product"));
  Ints shape = context->shape(product);
  if (b_shape.size() == 1) shape.pop_back();
  if (a_shape.size() == 1) shape.erase(shape.end() - (b_shape.size() == 1 ? 1 : 2));
  RM_ASSIGN_OR_RETURN(const ValueId output, context->Reshaped(product, shape));
  context->SetOutput(0, output);
  return absl::OkStatus();
}

}  // namespace rm::graph
