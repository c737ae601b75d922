// Functions of one tensor that are written by others, so that kernels and gradients come with those.
//
//   Softplus(x) = max(x, 0) + log(1 + exp(−|x|))        Celu(x) = x where x > 0, a · Elu(x / a) elsewhere
//
// A node of its own for each of these would need a kernel, a gradient and a place in the fusion's tables;
// they are rare enough that a few passes over memory more do not matter. Names of the parts are those of
// the node with a suffix, which profiles and messages show.
//
// Each form is chosen to stay finite wherever the function is: exp is asked for negative numbers alone.
// Where two pieces meet at 0, one of them is chosen and not both added: the slope of max(x, 0) at 0 is 0,
// and so is that of min(x, 0), so that their sum would have none at all there. Zeros are not rare: Relu
// and padding make them.
#include <limits>

#include "base/status.h"
#include "kernels/api/shapes.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Misfit;

using Result = absl::StatusOr<ValueId>;

// Writes sums and products of values, each a node of its own name.
class Formula {
 public:
  explicit Formula(BindContext* context) : context_(context) {}

  [[nodiscard]] Result Number(float number) const {
    return context_->Constant("/number", DType::kFloat32, {}, Initializer::Of({number}));
  }
  [[nodiscard]] Result Unary(const char* op, ValueId x, kernels::Attributes attributes = {}) const {
    return context_->Append(op, {x}, std::move(attributes), "/part");
  }
  [[nodiscard]] Result Binary(const char* op, ValueId a, ValueId b) const {
    return context_->Append(op, {a, b}, {}, "/part");
  }
  // op(x, number): the number is a constant scalar, which broadcasts to x.
  [[nodiscard]] Result With(const char* op, ValueId x, float number) const {
    RM_ASSIGN_OR_RETURN(const ValueId constant, Number(number));
    return Binary(op, x, constant);
  }
  // max(x, 0), whose slope at 0 is 0, as PyTorch's.
  [[nodiscard]] Result Positive(ValueId x) const { return Unary("Relu", x); }
  // Whether x is above 0: not so at 0 itself, nor for NaN, which so goes through the other piece.
  [[nodiscard]] Result Above(ValueId x) const { return With("Greater", x, 0); }
  // a where the flags are set, b elsewhere; each gets the gradient of its own places.
  [[nodiscard]] Result Choose(ValueId flags, ValueId a, ValueId b) const {
    return context_->Append("Where", {flags, a, b}, {}, "/part");
  }
  // log(1 + exp(x)): beyond 88 the power would overflow, and below −17 the sum would be 1. With the distance
  // from 0 taken out, the logarithm is of a number between 1 and 2. −|x| is chosen from −x and x: Abs has
  // no slope at 0, where Softplus has 1/2.
  [[nodiscard]] Result Softplus(ValueId x) const {
    RM_ASSIGN_OR_RETURN(const ValueId above, Above(x));
    RM_ASSIGN_OR_RETURN(const ValueId turned, Unary("Neg", x));
    RM_ASSIGN_OR_RETURN(const ValueId down, Choose(above, turned, x));
    RM_ASSIGN_OR_RETURN(const ValueId power, Unary("Exp", down));
    RM_ASSIGN_OR_RETURN(const ValueId sum, With("Add", power, 1));
    RM_ASSIGN_OR_RETURN(const ValueId tail, Unary("Log", sum));
    RM_ASSIGN_OR_RETURN(const ValueId positive, Positive(x));
    return Binary("Add", positive, tail);
  }
  // 1 where the comparison holds, 0 elsewhere.
  [[nodiscard]] Result Indicator(const char* comparison, ValueId a, ValueId b) const {
    RM_ASSIGN_OR_RETURN(const ValueId holds, Binary(comparison, a, b));
    return Unary("Cast", holds, {{"to", std::string("float32")}});
  }
  // The largest whole number that is no larger: the fraction dropped, and 1 less where that was up.
  // Numbers beyond 2⁶³ have no fraction and are not asked for.
  [[nodiscard]] Result Floor(ValueId x) const {
    RM_ASSIGN_OR_RETURN(const ValueId whole, Unary("Cast", x, {{"to", std::string("int64")}}));
    RM_ASSIGN_OR_RETURN(const ValueId cut, Unary("Cast", whole, {{"to", std::string("float32")}}));
    RM_ASSIGN_OR_RETURN(const ValueId up, Indicator("Greater", cut, x));
    return Binary("Sub", cut, up);
  }

  // The value is what the model's node gives.
  [[nodiscard]] absl::Status Done(const Result& value) const {
    RM_RETURN_IF_ERROR(value.status());
    context_->SetOutput(0, *value);
    return absl::OkStatus();
  }

 private:
  BindContext* const context_;
};

// The float operand that all functions below have.
absl::Status RequireFloat(BindContext* context) {
  RM_RETURN_IF_ERROR(context->RequireInputs(1));
  const kernels::TensorType& type = context->type(context->input(0));
  if (type.dtype == DType::kFloat32) return absl::OkStatus();
  return Misfit("its operand is ", type.ToString(), ", it must be float32");
}

}  // namespace

// x above 0, alpha · (exp(x / alpha) − 1) elsewhere. What is above 0 is kept out of the power as well,
// which could overflow there for a negative alpha: 0 · ∞ would be its gradient.
absl::Status BindCelu(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const float alpha = context->node().attributes.Float("alpha", 1);
  if (!(alpha != 0)) return Misfit("attribute alpha is ", alpha);
  const Formula f(context);
  const ValueId x = context->input(0);
  RM_ASSIGN_OR_RETURN(const ValueId above, f.Above(x));
  RM_ASSIGN_OR_RETURN(const ValueId zero, f.Number(0));
  RM_ASSIGN_OR_RETURN(const ValueId negative, f.Choose(above, zero, x));
  RM_ASSIGN_OR_RETURN(const ValueId scaled, f.With("Div", negative, alpha));
  RM_ASSIGN_OR_RETURN(const ValueId bent, f.Unary("Elu", scaled));
  RM_ASSIGN_OR_RETURN(const ValueId back, f.With("Mul", bent, alpha));
  return f.Done(f.Choose(above, x, back));
}

// −floor(−x)
absl::Status BindCeil(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const Formula f(context);
  RM_ASSIGN_OR_RETURN(const ValueId turned, f.Unary("Neg", context->input(0)));
  RM_ASSIGN_OR_RETURN(const ValueId floor, f.Floor(turned));
  return f.Done(f.Unary("Neg", floor));
}

absl::Status BindFloor(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const Formula f(context);
  return f.Done(f.Floor(context->input(0)));
}

// The mean of several operands, each broadcast to all.
absl::Status BindMean(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  RM_RETURN_IF_ERROR(context->RequireInputs(context->node().inputs.size()));
  const Formula f(context);
  const std::vector<ValueId> operands = context->inputs();
  ValueId sum = operands[0];
  for (size_t i = 1; i < operands.size(); ++i) {
    RM_ASSIGN_OR_RETURN(sum, f.Binary("Add", sum, operands[i]));
  }
  return f.Done(f.With("Div", sum, static_cast<float>(operands.size())));
}

// x · tanh(softplus(x))
absl::Status BindMish(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const Formula f(context);
  RM_ASSIGN_OR_RETURN(const ValueId softplus, f.Softplus(context->input(0)));
  RM_ASSIGN_OR_RETURN(const ValueId squashed, f.Unary("Tanh", softplus));
  return f.Done(f.Binary("Mul", context->input(0), squashed));
}

// x above 0, slope · x elsewhere; the slope is a parameter of its own.
absl::Status BindPRelu(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  RM_RETURN_IF_ERROR(context->RequireInputs(2));
  const Formula f(context);
  const ValueId x = context->input(0);
  RM_ASSIGN_OR_RETURN(const ValueId above, f.Above(x));
  RM_ASSIGN_OR_RETURN(const ValueId sloped, f.Binary("Mul", x, context->input(1)));
  return f.Done(f.Choose(above, x, sloped));
}

// Halves go to the even neighbour: floor(x + 1/2), less 1 where that was a half and came out odd.
absl::Status BindRound(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const Formula f(context);
  const ValueId x = context->input(0);
  RM_ASSIGN_OR_RETURN(const ValueId floor, f.Floor(x));
  RM_ASSIGN_OR_RETURN(const ValueId rest, f.Binary("Sub", x, floor));
  RM_ASSIGN_OR_RETURN(const ValueId half, f.Number(0.5F));
  RM_ASSIGN_OR_RETURN(const ValueId above, f.Indicator("Greater", rest, half));
  RM_ASSIGN_OR_RETURN(const ValueId tie, f.Indicator("Equal", rest, half));
  RM_ASSIGN_OR_RETURN(const ValueId halved, f.With("Mul", floor, 0.5F));
  RM_ASSIGN_OR_RETURN(const ValueId whole, f.Floor(halved));
  RM_ASSIGN_OR_RETURN(const ValueId doubled, f.With("Mul", whole, 2));
  RM_ASSIGN_OR_RETURN(const ValueId odd, f.Binary("Sub", floor, doubled));
  RM_ASSIGN_OR_RETURN(const ValueId odd_tie, f.Binary("Mul", tie, odd));
  RM_ASSIGN_OR_RETURN(const ValueId up, f.Binary("Add", above, odd_tie));
  return f.Done(f.Binary("Add", floor, up));
}

// gamma · (max(x, 0) + alpha · (exp(min(x, 0)) − 1))
absl::Status BindSelu(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const kernels::Attributes& given = context->node().attributes;
  const Formula f(context);
  RM_ASSIGN_OR_RETURN(const ValueId bent,
                      f.Unary("Elu", context->input(0),
                              {{"alpha", given.Float("alpha", 1.67326319217681884765625F)}}));
  return f.Done(f.With("Mul", bent, given.Float("gamma", 1.05070102214813232421875F)));
}

// 1, 0 or −1.
absl::Status BindSign(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const Formula f(context);
  RM_ASSIGN_OR_RETURN(const ValueId zero, f.Number(0));
  RM_ASSIGN_OR_RETURN(const ValueId above, f.Indicator("Greater", context->input(0), zero));
  RM_ASSIGN_OR_RETURN(const ValueId below, f.Indicator("Less", context->input(0), zero));
  return f.Done(f.Binary("Sub", above, below));
}

absl::Status BindSoftplus(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const Formula f(context);
  return f.Done(f.Softplus(context->input(0)));
}

// x / (1 + |x|)
absl::Status BindSoftsign(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const Formula f(context);
  RM_ASSIGN_OR_RETURN(const ValueId distance, f.Unary("Abs", context->input(0)));
  RM_ASSIGN_OR_RETURN(const ValueId sum, f.With("Add", distance, 1));
  return f.Done(f.Binary("Div", context->input(0), sum));
}

// x · sigmoid(alpha · x)
absl::Status BindSwish(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const float alpha = context->node().attributes.Float("alpha", 1);
  const Formula f(context);
  ValueId scaled = context->input(0);
  if (alpha != 1) {
    RM_ASSIGN_OR_RETURN(scaled, f.With("Mul", scaled, alpha));
  }
  RM_ASSIGN_OR_RETURN(const ValueId gate, f.Unary("Sigmoid", scaled));
  return f.Done(f.Binary("Mul", context->input(0), gate));
}

// x where it is above alpha, 0 elsewhere.
absl::Status BindThresholdedRelu(BindContext* context) {
  RM_RETURN_IF_ERROR(RequireFloat(context));
  const Formula f(context);
  RM_ASSIGN_OR_RETURN(const ValueId alpha,
                      f.Number(context->node().attributes.Float("alpha", 1)));
  RM_ASSIGN_OR_RETURN(const ValueId zero, f.Number(0));
  RM_ASSIGN_OR_RETURN(const ValueId above, f.Binary("Greater", context->input(0), alpha));
  return f.Done(context->Append("Where", {above, context->input(0), zero}));
}

}  // namespace rm::graph
