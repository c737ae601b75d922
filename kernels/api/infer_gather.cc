// Gather, GatherElements, GatherND, and their gradients.
//
// A gradient's rule makes the forward op's shape of the X it is told by its output's type, and
// compares dY with it.
#include <algorithm>

#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// The shape of what is taken of x by indices of a shape, by the operator's attributes.
using TakenShape = absl::StatusOr<Shape>(const Attributes& attributes, const Shape& x,
                                         const Shape& indices);

absl::StatusOr<size_t> RequireAxis(const Attributes& attributes, const Shape& x) {
  const int64_t axis = attributes.Int("axis", 0);
  if (axis >= 0 && axis < static_cast<int64_t>(x.size())) return static_cast<size_t>(axis);
  return Misfit("attribute axis is ", axis, ", of ", x.size(), " dimensions");
}

absl::Status RequireIndices(const OpInstance& instance) {
  const DType dtype = instance.inputs[1].type.dtype;
  if (dtype == DType::kInt64 || dtype == DType::kInt32) return absl::OkStatus();
  return Misfit("indices is ", DTypeName(dtype), ", it must be int64 or int32");
}

// The indices take the place of the axis.
absl::StatusOr<Shape> Gathered(const Attributes& attributes, const Shape& x,
                               const Shape& indices) {
  RM_ASSIGN_OR_RETURN(const size_t axis, RequireAxis(attributes, x));
  Shape y(x.begin(), x.begin() + static_cast<int64_t>(axis));
  y.insert(y.end(), indices.begin(), indices.end());
  y.insert(y.end(), x.begin() + static_cast<int64_t>(axis) + 1, x.end());
  return y;
}

// One index an element of Y; beside the axis each stands for its own place in X.
absl::StatusOr<Shape> GatheredElements(const Attributes& attributes, const Shape& x,
                                       const Shape& indices) {
  RM_ASSIGN_OR_RETURN(const size_t axis, RequireAxis(attributes, x));
  if (indices.size() != x.size()) {
    return Misfit("indices has ", indices.size(), " dimensions, it must have ", x.size());
  }
  for (size_t i = 0; i < x.size(); ++i) {
    if (i != axis && indices[i] > x[i]) {
      return Misfit("indices has ", indices[i], " along axis ", i, ", data has ", x[i]);
    }
  }
  return indices;
}

// The last dimension of the indices walks through dimensions of X, after those of the batch.
absl::StatusOr<Shape> GatheredND(const Attributes& attributes, const Shape& x,
                                 const Shape& indices) {
  const int64_t batch_dims = attributes.Int("batch_dims", 0);
  const auto most = static_cast<int64_t>(std::min(x.size(), indices.size()));
  if (batch_dims < 0 || batch_dims >= most) {
    return Misfit("attribute batch_dims is ", batch_dims, ", it must be below ", most);
  }
  const auto batch = static_cast<size_t>(batch_dims);
  for (size_t i = 0; i < batch; ++i) {
    if (x[i] == indices[i]) continue;
    return Misfit("data and indices differ in dimension ", i, " of the batch");
  }
  const int64_t depth = indices.back();
  if (depth < 1 || depth > static_cast<int64_t>(x.size() - batch)) {
    return Misfit("the last dimension of indices is ", depth, ", it must be from 1 to ",
                  x.size() - batch);
  }
  Shape y(indices.begin(), indices.end() - 1);
  y.insert(y.end(), x.begin() + batch_dims + depth, x.end());
  return y;
}

absl::Status InferTaking(OpInstance* instance, TakenShape* taken) {
  RM_RETURN_IF_ERROR(RequireIndices(*instance));
  RM_ASSIGN_OR_RETURN(Shape y, taken(instance->attributes, InputShape(*instance, 0),
                                     InputShape(*instance, 1)));
  SetOutput(instance, 0, std::move(y), instance->inputs[0].type.dtype);
  return absl::OkStatus();
}

absl::Status InferGiving(OpInstance* instance, TakenShape* taken) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "dY", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireIndices(*instance));
  const Shape x = OutputShape(*instance, 0);
  RM_ASSIGN_OR_RETURN(const Shape y, taken(instance->attributes, x, InputShape(*instance, 1)));
  RM_RETURN_IF_ERROR(RequireShape("dY", InputShape(*instance, 0), y));
  SetOutput(instance, 0, x);
  return absl::OkStatus();
}

}  // namespace

absl::Status InferGather(OpInstance* instance) { return InferTaking(instance, &Gathered); }

absl::Status InferGatherElements(OpInstance* instance) {
  return InferTaking(instance, &GatheredElements);
}

absl::Status InferGatherND(OpInstance* instance) { return InferTaking(instance, &GatheredND); }

absl::Status InferGatherGrad(OpInstance* instance) { return InferGiving(instance, &Gathered); }

absl::Status InferGatherElementsGrad(OpInstance* instance) {
  return InferGiving(instance, &GatheredElements);
}

absl::Status InferGatherNDGrad(OpInstance* instance) { return InferGiving(instance, &GatheredND); }

}  // namespace rm::kernels
