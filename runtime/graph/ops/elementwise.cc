// What computes element by element: functions of one tensor, arithmetic with broadcasting, Where
// and Cast. Comparisons and logic have no gradient: what they make is not differentiated.
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// Sets the gradient of input `i`, given the gradient of that input repeated to the output's shape.
void SetBroadcastGradient(size_t i, ValueId gradient, GradientContext* context) {
  const std::string suffix = absl::StrCat("d", i);
  context->SetInputGradient(i, context->SumTo(gradient, context->input(i), suffix));
}

}  // namespace

// The gradient goes to both operands as it is: no node where nothing was broadcast.
absl::Status DifferentiateAdd(GradientContext* context) {
  const ValueId dy = context->output_gradient(0);
  if (context->wants(0)) context->SetInputGradient(0, context->SumTo(dy, context->input(0), "dA"));
  if (context->wants(1)) context->SetInputGradient(1, context->SumTo(dy, context->input(1), "dB"));
  return absl::OkStatus();
}

// The sign is turned after the sum, where there are fewer elements.
absl::Status DifferentiateSub(GradientContext* context) {
  const ValueId dy = context->output_gradient(0);
  const ValueId b = context->input(1);
  if (context->wants(0)) context->SetInputGradient(0, context->SumTo(dy, context->input(0), "dA"));
  if (context->wants(1)) {
    const ValueId sum = context->SumTo(dy, b, "dB/sum");
    context->SetInputGradient(1, context->Append("Neg", "dB", {sum}, b));
  }
  return absl::OkStatus();
}

// dA = dY · B, dB = dY · A.
absl::Status DifferentiateMul(GradientContext* context) {
  const ValueId dy = context->output_gradient(0);
  for (const size_t i : {size_t{1}, size_t{0}}) {
    if (!context->wants(i)) continue;
    const ValueId product = context->Append("Mul", absl::StrCat("d", i, "/product"),
                                            {dy, context->input(1 - i)}, dy);
    SetBroadcastGradient(i, product, context);
  }
  return absl::OkStatus();
}

// dA = dY / B, dB = −dY · Y / B.
absl::Status DifferentiateDiv(GradientContext* context) {
  const ValueId dy = context->output_gradient(0);
  const ValueId b = context->input(1);
  const ValueId quotient = context->Append("Div", "dA/quotient", {dy, b}, dy);
  if (context->wants(1)) {
    const ValueId product =
        context->Append("Mul", "dB/product", {quotient, context->output(0)}, dy);
    const ValueId sum = context->SumTo(product, b, "dB/sum");
    context->SetInputGradient(1, context->Append("Neg", "dB", {sum}, b));
  }
  if (context->wants(0)) SetBroadcastGradient(0, quotient, context);
  return absl::OkStatus();
}

// dX = dZ · Y · X^(Y−1), one operator; dY = dZ · Z · log X, which is only defined for X > 0.
absl::Status DifferentiatePow(GradientContext* context) {
  const ValueId dz = context->output_gradient(0);
  const ValueId x = context->input(0);
  if (context->wants(1)) {
    const ValueId logarithm = context->Append("Log", "dY/log", {x}, x);
    const ValueId scaled = context->Append("Mul", "dY/scaled", {dz, context->output(0)}, dz);
    SetBroadcastGradient(1, context->Append("Mul", "dY/product", {scaled, logarithm}, dz), context);
  }
  if (context->wants(0)) {
    const ValueId all = context->Append("PowGrad", "dX/all", {dz, x, context->input(1)}, dz);
    SetBroadcastGradient(0, all, context);
  }
  return absl::OkStatus();
}

// Max and Min: the gradient goes to the operands that are the extremum, in equal shares.
absl::Status DifferentiateExtremum(GradientContext* context) {
  const ValueId dy = context->output_gradient(0);
  const size_t count = context->node().inputs.size();
  std::vector<ValueId> chosen;  // 1 where operand i is the extremum
  ValueId number = kNoValue;    // how many are
  for (size_t i = 0; i < count; ++i) {
    const ValueId equal = context->Append("Equal", absl::StrCat("d", i, "/equal"),
                                          {context->input(i), context->output(0)}, kNoValue);
    chosen.push_back(context->Append("Cast", absl::StrCat("d", i, "/chosen"), {equal}, dy,
                                     {{"to", std::string("float32")}}));
    number = i == 0 ? chosen[0]
                    : context->Append("Add", absl::StrCat("d", i, "/number"),
                                      {number, chosen[i]}, dy);
  }
  const ValueId share = count == 1 ? dy : context->Append("Div", "share", {dy, number}, dy);
  for (size_t i = 0; i < count; ++i) {
    if (!context->wants(i)) continue;
    const ValueId part =
        context->Append("Mul", absl::StrCat("d", i, "/part"), {share, chosen[i]}, dy);
    SetBroadcastGradient(i, part, context);
  }
  return absl::OkStatus();
}

// dY where the operand was chosen, 0 elsewhere; nothing flows to the condition.
absl::Status DifferentiateWhere(GradientContext* context) {
  const ValueId dz = context->output_gradient(0);
  const ValueId zero = context->Number(0.0F);
  for (const size_t i : {size_t{1}, size_t{2}}) {
    if (!context->wants(i)) continue;
    const ValueId x = i == 1 ? dz : zero;
    const ValueId y = i == 1 ? zero : dz;
    const ValueId chosen = context->Append("Where", absl::StrCat("d", i, "/chosen"),
                                           {context->input(0), x, y}, dz);
    SetBroadcastGradient(i, chosen, context);
  }
  return absl::OkStatus();
}

// Only from float32 to float32: everything else is no path of a gradient.
absl::Status DifferentiateCast(GradientContext* context) {
  context->SetInputGradient(0, context->output_gradient(0));
  return absl::OkStatus();
}

absl::Status DifferentiateNeg(GradientContext* context) {
  context->SetInputGradient(
      0, context->Append("Neg", "dX", {context->output_gradient(0)}, context->input(0)));
  return absl::OkStatus();
}

// The slope of exp is exp itself.
absl::Status DifferentiateExp(GradientContext* context) {
  context->SetInputGradient(
      0, context->Append("Mul", "dX", {context->output_gradient(0), context->output(0)},
                         context->input(0)));
  return absl::OkStatus();
}

absl::Status DifferentiateLog(GradientContext* context) {
  const ValueId x = context->input(0);
  context->SetInputGradient(0, context->Append("Div", "dX", {context->output_gradient(0), x}, x));
  return absl::OkStatus();
}

absl::Status DifferentiateSin(GradientContext* context) {
  const ValueId x = context->input(0);
  const ValueId slope = context->Append("Cos", "slope", {x}, x);
  context->SetInputGradient(0,
                            context->Append("Mul", "dX", {context->output_gradient(0), slope}, x));
  return absl::OkStatus();
}

absl::Status DifferentiateCos(GradientContext* context) {
  const ValueId x = context->input(0);
  const ValueId slope = context->Append("Sin", "slope", {x}, x);
  const ValueId product =
      context->Append("Mul", "product", {context->output_gradient(0), slope}, x);
  context->SetInputGradient(0, context->Append("Neg", "dX", {product}, x));
  return absl::OkStatus();
}

// "Elu" has the gradient operator "EluGrad", which reads X.
absl::Status DifferentiateByOperand(GradientContext* context) {
  const ValueId x = context->input(0);
  context->SetInputGradient(0, context->Append(absl::StrCat(context->node().op, "Grad"), "dX",
                                               {context->output_gradient(0), x}, x,
                                               context->attributes()));
  return absl::OkStatus();
}

// "Tanh" has "TanhGrad", which reads Y: the operand's memory is free after the forward pass.
absl::Status DifferentiateByResult(GradientContext* context) {
  context->SetInputGradient(0, context->Append(absl::StrCat(context->node().op, "Grad"), "dX",
                                               {context->output_gradient(0), context->output(0)},
                                               context->input(0), context->attributes()));
  return absl::OkStatus();
}

}  // namespace rm::graph
