// Normalisation, recurrence and products of matrices.
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
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

namespace {

// Forms of the LSTM that have no kernel, each refused by name.
absl::Status CheckLstm(BindContext* context) {
  const kernels::Attributes& given = context->node().attributes;
  if (given.Int("layout", 0) != 0) return Misfit("attribute layout is 1; only 0 is known");
  if (given.Int("input_forget", 0) != 0) return Misfit("attribute input_forget is not known");
  if (given.Has("clip")) return Misfit("attribute clip is not known");
  if (context->has_input(7)) return Misfit("its input 'P' (peepholes) is not known");
  const std::string direction = given.String("direction", "forward");
  const std::string one = "sigmoid,tanh,tanh";
  const std::string usual = direction == "bidirectional" ? one + "," + one : one;
  const std::string activations = given.String("activations", usual);
  if (absl::AsciiStrToLower(activations) == usual) return absl::OkStatus();
  return Misfit("attribute activations is '", activations, "'; only Sigmoid,Tanh,Tanh is known");
}

// All sequences are as long as the tensor.
absl::Status CheckLengths(BindContext* context) {
  if (!context->has_input(4)) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(const Ints lengths, context->Integers(4, "sequence_lens"));
  const int64_t steps = context->shape(context->input(0))[0];
  for (int64_t length : lengths) {
    if (length != steps) return Misfit("its input 'sequence_lens' holds ", length, " of ", steps);
  }
  return absl::OkStatus();
}

}  // namespace

// LSTM(X, W, R, B, sequence_lens, h0, c0, P) to LSTM(X, W, R, B, h0, c0).
//
// PyTorch's exporter gives the bias and both first states, and writes the weights in ONNX's order of
// gates by slicing and joining the ones that it knows by name: those nodes stay in front of this one,
// and gradients flow through them to the parameters. Where the bias is missing it is zero, a constant
// and not a parameter, so that the model trains what it had.
absl::Status BindLstm(BindContext* context) {
  // A bound one has no operand 6, and its operand 4 is a float.
  const bool bound = context->has_input(4) &&
                     context->type(context->input(4)).dtype == DType::kFloat32;
  RM_RETURN_IF_ERROR(context->RequireInputs(3));
  if (context->shape(context->input(0)).size() != 3) return Misfit("X must have 3 dimensions");
  const Ints w = context->shape(context->input(1));
  if (w.size() != 3) return Misfit("W must have 3 dimensions");
  ValueId bias = context->input(3);
  if (bias == kNoValue) {
    RM_ASSIGN_OR_RETURN(bias, context->Filled("/bias", DType::kFloat32, {w[0], 2 * w[1]}, 0));
  }
  std::vector<ValueId> operands = {context->input(0), context->input(1), context->input(2), bias};
  if (!bound) {
    RM_RETURN_IF_ERROR(CheckLstm(context));
    RM_RETURN_IF_ERROR(CheckLengths(context));
  }
  const size_t h0 = bound ? 4 : 5;
  if (context->has_input(h0) || context->has_input(h0 + 1)) {
    operands.push_back(context->input(h0));
    operands.push_back(context->input(h0 + 1));
  }
  while (operands.back() == kNoValue) operands.pop_back();
  size_t outputs = 1;
  for (size_t i = 1; i < context->node().outputs.size(); ++i) {
    if (context->output_is_used(i)) outputs = i + 1;
  }
  const kernels::Attributes& given = context->node().attributes;
  RM_ASSIGN_OR_RETURN(
      const std::vector<ValueId> results,
      context->AppendMany("LSTM", operands, outputs,
                          {{"hidden_size", given.Int("hidden_size", w[1] / 4)},
                           {"direction", given.String("direction", "forward")}}));
  for (size_t i = 0; i < outputs; ++i) context->SetOutput(i, results[i]);
  return absl::OkStatus();
}

}  // namespace rm::graph
