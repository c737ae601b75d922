// Gemm and MatMul.
#include <string>
#include <utility>

#include "kernels/api/shapes.h"
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

using kernels::Attributes;
using kernels::Misfit;
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

// A right operand of at most two dimensions makes it one product of matrices: the rows of A, taken
// through all its leading dimensions, by B.
// The views on the way in and out cost nothing. Stacks of matrices on both sides would need
// products with a transposed stack, for which there is no operator yet.
absl::Status DifferentiateMatMul(GradientContext* context) {
  const ValueId a = context->input(0);
  const ValueId b = context->input(1);
  if (context->shape(b).size() > 2) {
    return Misfit("the gradient of MatMul is known for a right operand of at most 2 dimensions");
  }
  const int64_t inner = context->shape(a).back();
  const int64_t columns = Columns(context->shape(b));
  const ValueId rows_a = context->AsMatrix(a, inner, "A/rows");
  const ValueId matrix_b = context->AsMatrix(b, columns, "B/matrix");
  const ValueId dy = context->AsMatrix(context->output_gradient(0), columns, "dY/rows");
  if (context->wants(1)) {
    const ValueId db =
        context->Append("Gemm", "dB", {rows_a, dy}, matrix_b, ProductOf(true, false, 1.0F));
    context->SetInputGradient(1,
                              matrix_b == b ? db : context->Append("Reshape", "dB/shape", {db}, b));
  }
  if (context->wants(0)) {
    const ValueId da =
        context->Append("Gemm", "dA", {dy, matrix_b}, rows_a, ProductOf(false, true, 1.0F));
    context->SetInputGradient(0,
                              rows_a == a ? da : context->Append("Reshape", "dA/shape", {da}, a));
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
