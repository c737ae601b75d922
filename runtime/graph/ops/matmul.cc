// Gemm and MatMul.
#include <string>
#include <vector>

#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

using kernels::Attributes;
using kernels::Shape;

// Attributes of a product alpha · op(A) · op(B).
Attributes ProductOf(bool trans_a, bool trans_b, float alpha) {
  Attributes attributes;
  if (trans_a) attributes.Set("transA", int64_t{1});
  if (trans_b) attributes.Set("transB", int64_t{1});
  if (alpha != 1.0F) attributes.Set("alpha", alpha);
  return attributes;
}

// The right operand's columns: N of (…, K, N); a vector is one column.
int64_t Columns(const Shape& b) { return b.size() == 1 ? 1 : b.back(); }

// A right operand of at most two dimensions makes it one product of matrices: the rows of A, taken
// through all its leading dimensions, by B. The views on the way in and out cost nothing.
void DifferentiateRows(bool trans_b, float alpha, GradientContext* context) {
  const ValueId a = context->input(0);
  const ValueId b = context->input(1);
  const Shape& b_shape = context->shape(b);
  const int64_t inner = context->shape(a).back();
  const int64_t columns = trans_b ? b_shape[0] : Columns(b_shape);
  const ValueId rows_a = context->AsMatrix(a, inner, "A/rows");
  const ValueId matrix_b = context->AsMatrix(b, trans_b ? inner : columns, "B/matrix");
  const ValueId dy = context->AsMatrix(context->output_gradient(0), columns, "dY/rows");
  if (context->wants(1)) {
    const ValueId db = trans_b ? context->Append("Gemm", "dB", {dy, rows_a}, matrix_b,
                                                 ProductOf(true, false, alpha))
                               : context->Append("Gemm", "dB", {rows_a, dy}, matrix_b,
                                                 ProductOf(true, false, alpha));
    context->SetInputGradient(1,
                              matrix_b == b ? db : context->Append("Reshape", "dB/shape", {db}, b));
  }
  if (context->wants(0)) {
    const ValueId da = context->Append("Gemm", "dA", {dy, matrix_b}, rows_a,
                                       ProductOf(false, !trans_b, alpha));
    context->SetInputGradient(0,
                              rows_a == a ? da : context->Append("Reshape", "dA/shape", {da}, a));
  }
}

// A vector on the left is a row of its own; the product then has that dimension, too.
ValueId WithRow(ValueId value, bool before_last, absl::string_view suffix,
                GradientContext* context) {
  const Shape& shape = context->shape(value);
  std::vector<int64_t> with_row(shape.begin(), shape.end());
  if (before_last) with_row[0] = -1;  // may be an open batch
  with_row.insert(before_last ? with_row.end() - 1 : with_row.begin(), 1);
  return context->Append("Reshape", suffix, {value}, kNoValue, {{"shape", with_row}});
}

// Stacks of matrices, for which no view makes one product of all: the same products as Gemm's, one
// a matrix; where a batch was broadcast its gradients are summed.
void DifferentiateStacks(bool trans_a, bool trans_b, float alpha, GradientContext* context) {
  const ValueId b = context->input(1);
  const bool vector_a = context->shape(context->input(0)).size() == 1;
  const ValueId a = vector_a ? WithRow(context->input(0), false, "A/row", context)
                             : context->input(0);
  const ValueId dy = vector_a ? WithRow(context->output_gradient(0), true, "dY/row", context)
                              : context->output_gradient(0);
  if (context->wants(1)) {
    const ValueId db =
        trans_b ? context->Append("MatMul", "dB", {dy, a}, kNoValue,
                                  ProductOf(true, trans_a, alpha))
                : context->Append("MatMul", "dB", {a, dy}, kNoValue,
                                  ProductOf(!trans_a, false, alpha));
    context->SetInputGradient(1, context->SumTo(db, b, "dB/sum"));
  }
  if (context->wants(0)) {
    const ValueId da =
        trans_a ? context->Append("MatMul", "dA", {b, dy}, kNoValue,
                                  ProductOf(trans_b, true, alpha))
                : context->Append("MatMul", "dA", {dy, b}, kNoValue,
                                  ProductOf(false, !trans_b, alpha));
    const ValueId sum = context->SumTo(da, a, "dA/sum");
    context->SetInputGradient(
        0, vector_a ? context->Append("Reshape", "dA/shape", {sum}, context->input(0)) : sum);
  }
}

}  // namespace

// Y = alpha · op(A) · op(B) + beta · C. With op(A) and op(B) known as matrices the gradients are
// d op(A) = alpha · dY · op(B)ᵀ and d op(B) = alpha · op(A)ᵀ · dY; where an operand is transposed,
// so is its gradient.
absl::Status DifferentiateGemm(GradientContext* context) {
  const ValueId a = context->input(0);
  const ValueId b = context->input(1);
  const bool trans_a = context->attributes().Int("transA", 0) != 0;
  const bool trans_b = context->attributes().Int("transB", 0) != 0;
  const float alpha = context->attributes().Float("alpha", 1.0F);
  const ValueId dy = context->BeforeActivation();
  if (context->wants(1)) {
    context->SetInputGradient(
        1, trans_b ? context->Append("Gemm", "dB", {dy, a}, b, ProductOf(true, trans_a, alpha))
                   : context->Append("Gemm", "dB", {a, dy}, b, ProductOf(!trans_a, false, alpha)));
  }
  if (context->wants(2)) {
    const ValueId sum = context->SumTo(dy, context->input(2), "dC");
    const float beta = context->attributes().Float("beta", 1.0F);
    context->SetInputGradient(2, context->Scaled(sum, beta, "dC/beta"));
  }
  if (context->wants(0)) {
    context->SetInputGradient(
        0, trans_a ? context->Append("Gemm", "dA", {b, dy}, a, ProductOf(trans_b, true, alpha))
                   : context->Append("Gemm", "dA", {dy, b}, a, ProductOf(false, !trans_b, alpha)));
  }
  return absl::OkStatus();
}

// Rows by a matrix where that is what the product is, stacks of matrices otherwise.
absl::Status DifferentiateMatMul(GradientContext* context) {
  const bool trans_a = context->attributes().Int("transA", 0) != 0;
  const bool trans_b = context->attributes().Int("transB", 0) != 0;
  const float alpha = context->attributes().Float("alpha", 1.0F);
  if (context->shape(context->input(1)).size() <= 2 && !trans_a) {
    DifferentiateRows(trans_b, alpha, context);
  } else {
    DifferentiateStacks(trans_a, trans_b, alpha, context);
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
