// Gemm and MatMul.
#include <string>
#include <utility>

#include "base/status.h"
#include "runtime/graph/ops/rules.h"
#include "runtime/graph/ops/shapes.h"

namespace rm::graph {
namespace {

using kernels::Attributes;
using kernels::OpInstance;
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

// Unlike MatMul, Gemm is for matrices alone; C broadcasts one way.
absl::Status InferGemm(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 0, "A", 2));
  RM_RETURN_IF_ERROR(RequireFloat(*instance, 1, "B", 2));
  RM_RETURN_IF_ERROR(RequireActivation(instance->attributes));
  const size_t trans_a = instance->attributes.Int("transA", 0) != 0 ? 1 : 0;
  const size_t trans_b = instance->attributes.Int("transB", 0) != 0 ? 1 : 0;
  const Shape& a = InputShape(*instance, 0);
  const Shape& b = InputShape(*instance, 1);
  if (a[1 - trans_a] != b[trans_b]) {
    return Misfit("the inner dimensions ", a[1 - trans_a], " and ", b[trans_b], " differ");
  }
  const Shape y = {a[trans_a], b[1 - trans_b]};
  if (instance->has_input(2)) {
    RM_RETURN_IF_ERROR(RequireType(*instance, 2, "C", kernels::DType::kFloat32));
    if (!BroadcastsTo(InputShape(*instance, 2), y)) {
      return Misfit("C does not broadcast to ", kernels::ShapeString(y));
    }
  }
  SetOutput(instance, 0, y);
  return absl::OkStatus();
}

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

// As numpy.matmul: vectors become matrices of one row or column for the product, and lose that
// dimension afterwards; dimensions before the last two broadcast.
absl::Status InferMatMul(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "A", kernels::DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "B", kernels::DType::kFloat32));
  Shape a = InputShape(*instance, 0);
  Shape b = InputShape(*instance, 1);
  if (a.empty() || b.empty()) return Misfit("a scalar is not a matrix");
  const bool vector_a = a.size() == 1;
  const bool vector_b = b.size() == 1;
  if (vector_a) a.insert(a.begin(), 1);
  if (vector_b) b.push_back(1);
  const int64_t rows = a[a.size() - 2];
  const int64_t inner = a.back();
  const int64_t columns = b.back();
  if (inner != b[b.size() - 2]) {
    return Misfit("the inner dimensions ", inner, " and ", b[b.size() - 2], " differ");
  }
  a.resize(a.size() - 2);
  b.resize(b.size() - 2);
  RM_ASSIGN_OR_RETURN(Shape y, Broadcast(a, b));
  if (!vector_a) y.push_back(rows);
  if (!vector_b) y.push_back(columns);
  SetOutput(instance, 0, std::move(y));
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
