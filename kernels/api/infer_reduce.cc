// ReduceSum, ReduceMean, ReduceMax and the gradients of the first two.
#include <utility>
#include <vector>

#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// The shape of what is left of x. Without axes everything is reduced; an axis counts from the end
// when it is negative.
absl::StatusOr<Shape> Reduced(const Attributes& attributes, const Shape& x) {
  const std::vector<int64_t> axes = attributes.Ints("axes", {});
  std::vector<bool> reduced(x.size(), axes.empty());
  for (int64_t axis : axes) {
    RM_ASSIGN_OR_RETURN(const int64_t i, NormalizeAxis(axis, x.size()));
    if (reduced[static_cast<size_t>(i)]) return Misfit("axis ", axis, " is named twice");
    reduced[static_cast<size_t>(i)] = true;
  }
  const bool keep = attributes.Int("keepdims", 1) != 0;
  Shape y;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i]) y.push_back(x[i]);
    if (reduced[i] && keep) y.push_back(1);
  }
  return y;
}

}  // namespace

// One rule for all: they differ in what they make of nothing.
absl::Status InferReduce(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
  const Shape& x = InputShape(*instance, 0);
  RM_ASSIGN_OR_RETURN(Shape y, Reduced(instance->attributes, x));
  // Nothing has a sum, but neither mean nor maximum.
  if (instance->op != "ReduceSum" && ElementCount(x) < ElementCount(y)) {
    return Misfit("there is nothing to reduce along the axes");
  }
  SetOutput(instance, 0, std::move(y));
  return absl::OkStatus();
}

// Which sizes were reduced cannot be told from dY: X's shape is known before.
absl::Status InferReduceGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "dY", DType::kFloat32));
  const Shape x = OutputShape(*instance, 0);
  RM_ASSIGN_OR_RETURN(const Shape y, Reduced(instance->attributes, x));
  RM_RETURN_IF_ERROR(RequireShape("dY", InputShape(*instance, 0), y));
  SetOutput(instance, 0, x);
  return absl::OkStatus();
}

}  // namespace rm::kernels
