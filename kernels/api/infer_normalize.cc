// Softmax, LogSoftmax, LayerNormalization and their gradients.
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// The shape of X from its first dimension up to the axis, then 1 where a row was.
Shape StatisticsShape(const Shape& x, size_t axis) {
  Shape shape = x;
  for (size_t i = axis; i < shape.size(); ++i) shape[i] = 1;
  return shape;
}

// What LayerNormalization and its gradient have in common: X and Scale are inputs `x` and `x + 1`.
// The normalized axis.
absl::StatusOr<size_t> LayerNormAxis(const OpInstance& instance, size_t x) {
  RM_RETURN_IF_ERROR(RequireType(instance, x, "X", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(instance, x + 1, "Scale", DType::kFloat32));
  const Shape& shape = InputShape(instance, x);
  RM_ASSIGN_OR_RETURN(const int64_t axis,
                      NormalizeAxis(instance.attributes.Int("axis", -1), shape.size()));
  const Shape row(shape.begin() + axis, shape.end());
  if (ElementCount(row) < 1) return Misfit("a row of X has no elements");
  RM_RETURN_IF_ERROR(RequireShape("Scale", InputShape(instance, x + 1), row));
  return static_cast<size_t>(axis);
}

}  // namespace

// Of Softmax and LogSoftmax alike.
absl::Status InferSoftmax(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "X", DType::kFloat32));
  const Shape& x = InputShape(*instance, 0);
  RM_RETURN_IF_ERROR(NormalizeAxis(instance->attributes.Int("axis", -1), x.size()).status());
  SetOutput(instance, 0, x);
  return absl::OkStatus();
}

absl::Status InferSoftmaxGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "dY", DType::kFloat32));
  RM_RETURN_IF_ERROR(RequireType(*instance, 1, "Y", DType::kFloat32));
  const Shape& y = InputShape(*instance, 1);
  RM_RETURN_IF_ERROR(RequireShape("dY", InputShape(*instance, 0), y));
  RM_RETURN_IF_ERROR(NormalizeAxis(instance->attributes.Int("axis", -1), y.size()).status());
  SetOutput(instance, 0, y);
  return absl::OkStatus();
}

// The statistics are there for the gradient, and for a model that asks for them.
absl::Status InferLayerNormalization(OpInstance* instance) {
  RM_ASSIGN_OR_RETURN(const size_t axis, LayerNormAxis(*instance, 0));
  if (instance->has_input(2)) {
    RM_RETURN_IF_ERROR(RequireType(*instance, 2, "B", DType::kFloat32));
    RM_RETURN_IF_ERROR(RequireShape("B", InputShape(*instance, 2), InputShape(*instance, 1)));
  }
  const Shape x = InputShape(*instance, 0);
  SetOutput(instance, 0, x);
  SetOutput(instance, 1, StatisticsShape(x, axis));
  SetOutput(instance, 2, StatisticsShape(x, axis));
  return absl::OkStatus();
}

absl::Status InferLayerNormGrad(OpInstance* instance) {
  RM_ASSIGN_OR_RETURN(const size_t axis, LayerNormAxis(*instance, 1));
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "dY", DType::kFloat32));
  const Shape x = InputShape(*instance, 1);
  RM_RETURN_IF_ERROR(RequireShape("dY", InputShape(*instance, 0), x));
  const Shape statistics = StatisticsShape(x, axis);
  const char* const names[] = {"Mean", "InvStdDev"};
  for (size_t i = 0; i < 2; ++i) {
    RM_RETURN_IF_ERROR(RequireType(*instance, 3 + i, names[i], DType::kFloat32));
    RM_RETURN_IF_ERROR(RequireShape(names[i], InputShape(*instance, 3 + i), statistics));
  }
  const Shape row = InputShape(*instance, 2);
  SetOutput(instance, 0, x);
  SetOutput(instance, 1, row);
  SetOutput(instance, 2, row);
  return absl::OkStatus();
}

}  // namespace rm::kernels
