// Gemm and MatMul.
#include <utility>

#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {

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
    RM_RETURN_IF_ERROR(RequireType(*instance, 2, "C", DType::kFloat32));
    if (!BroadcastsTo(InputShape(*instance, 2), y)) {
      return Misfit("C does not broadcast to ", ShapeString(y));
    }
  }
  SetOutput(instance, 0, y);
  return absl::OkStatus();
}

// As numpy.matmul: vectors become matrices of one row or column for the product, and lose that
// dimension afterwards; dimensions before the last two broadcast.
absl::Status InferMatMul(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "A", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "B", DType::kFloat32));
  Shape a = InputShape(*instance, 0);
  Shape b = InputShape(*instance, 1);
  if (a.empty() || b.empty()) return Misfit("a scalar is not a matrix");
  const bool trans_a = instance->attributes.Int("transA", 0) != 0;
  const bool trans_b = instance->attributes.Int("transB", 0) != 0;
  if ((trans_a || trans_b) && (a.size() < 2 || b.size() < 2)) {
    return Misfit("a vector has no two dimensions to transpose");
  }
  if (trans_a) std::swap(a[a.size() - 1], a[a.size() - 2]);
  if (trans_b) std::swap(b[b.size() - 1], b[b.size() - 2]);
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

}  // namespace rm::kernels
