// Flatten, Reshape, Reorder: the same elements under another shape or layout.
// None of these computes anything; where memory allows they are views (runtime/graph/view.h).
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// Output 0 with input 0's element type and another shape.
absl::Status SetView(OpInstance* instance, Shape shape) {
  const TensorType& x = instance->inputs[0].type;
  if (ElementCount(shape) != x.elements()) {
    return Misfit(x.elements(), " elements do not fill ", ShapeString(shape));
  }
  SetOutput(instance, 0, std::move(shape), x.dtype);
  return absl::OkStatus();
}

// The target shape of ONNX Reshape: 0 copies a dimension of x, one −1 takes what is left.
absl::StatusOr<Shape> Target(const std::vector<int64_t>& wanted, const Shape& x) {
  Shape shape;
  int64_t known = 1;
  size_t open = wanted.size();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] < -1) return Misfit("attribute shape holds ", wanted[i]);
    if (wanted[i] == 0 && i >= x.size()) return Misfit("attribute shape copies dimension ", i);
    if (wanted[i] == -1 && open < wanted.size()) return Misfit("attribute shape holds two −1");
    if (wanted[i] == -1) open = i;
    shape.push_back(wanted[i] == 0 ? x[i] : wanted[i]);
    if (wanted[i] != -1) known *= shape.back();
  }
  if (open == wanted.size()) return shape;
  const int64_t elements = ElementCount(x);
  if (known == 0 || elements % known != 0) {
    return Misfit(elements, " elements do not divide by ", known);
  }
  shape[open] = elements / known;
  return shape;
}

}  // namespace

absl::Status InferFlatten(OpInstance* instance) {
  const Shape& x = InputShape(*instance, 0);
  // An axis may also be the rank itself: then all dimensions are rows.
  const int64_t axis = instance->attributes.Int("axis", 1);
  const int64_t rank = static_cast<int64_t>(x.size());
  if (axis < -rank || axis > rank) return Misfit("axis ", axis, " of ", rank, " dimensions");
  const size_t split = static_cast<size_t>(axis < 0 ? axis + rank : axis);
  return SetView(instance, {Product(x, 0, split), Product(x, split, x.size())});
}

// Importers fold a computed target shape into the attribute; a gradient has its shape from `like`.
absl::Status InferReshape(OpInstance* instance) {
  if (!instance->attributes.Has("shape")) return SetView(instance, OutputShape(*instance, 0));
  const std::vector<int64_t> wanted = instance->attributes.Ints("shape", {});
  RM_ASSIGN_OR_RETURN(Shape shape, Target(wanted, InputShape(*instance, 0)));
  return SetView(instance, std::move(shape));
}

absl::Status InferReorder(OpInstance* instance) {
  return SetView(instance, InputShape(*instance, 0));
}

}  // namespace rm::kernels
