// Operators that move elements and compute nothing. Flatten, Reshape and Reorder keep all of them
// in their order: where memory allows they are views (runtime/graph/view.h).
#include <algorithm>
#include <numeric>

#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"
#include "kernels/api/strided_view.h"

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

// The attribute axis, counted from the front, of a tensor of this rank.
absl::StatusOr<size_t> RequireAxis(const Attributes& attributes, size_t rank, int64_t fallback) {
  const int64_t axis = attributes.Int("axis", fallback);
  if (axis >= 0 && axis < static_cast<int64_t>(rank)) return static_cast<size_t>(axis);
  return Misfit("attribute axis is ", axis, ", of ", rank, " dimensions");
}

// One entry of a Slice, for a dimension of `size`. An empty slice may begin anywhere inside.
absl::Status CheckSlice(const SliceAxis& slice, int64_t size) {
  if (slice.step == 0) return Misfit("attribute steps holds 0");
  const bool fits = slice.step > 0 ? slice.start >= 0 && slice.start <= slice.end &&
                                         slice.end <= size
                                   : slice.end >= -1 && slice.end <= slice.start &&
                                         slice.start < size;
  if (fits) return absl::OkStatus();
  return Misfit("a slice from ", slice.start, " to ", slice.end, " in steps of ", slice.step,
                " of a dimension of ", size);
}

// The shape that a Slice takes of x, after checking its attributes.
absl::StatusOr<Shape> SliceShape(const Attributes& attributes, const Shape& x) {
  const size_t count = attributes.Ints("starts", {}).size();
  if (attributes.Ints("ends", {}).size() != count) {
    return Misfit("attributes starts and ends are not of one length");
  }
  for (const char* const name : {"axes", "steps"}) {
    const size_t entries = attributes.Ints(name, {}).size();
    if (entries != 0 && entries != count) {
      return Misfit("attributes starts and ", name, " are not of one length");
    }
  }
  Shape y = x;
  std::vector<bool> sliced(x.size(), false);
  for (const SliceAxis& slice : SliceAxes(attributes)) {
    if (slice.axis < 0 || slice.axis >= static_cast<int64_t>(x.size())) {
      return Misfit("axis ", slice.axis, " of a tensor with ", x.size(), " dimensions");
    }
    const auto axis = static_cast<size_t>(slice.axis);
    if (sliced[axis]) return Misfit("axis ", slice.axis, " is named twice");
    sliced[axis] = true;
    RM_RETURN_IF_ERROR(CheckSlice(slice, x[axis]));
    y[axis] = SliceCount(slice.start, slice.end, slice.step);
  }
  return y;
}

}  // namespace

absl::Status InferCast(OpInstance* instance) {
  const std::string to = instance->attributes.String("to", "");
  const std::optional<DType> dtype = FindDType(to);
  if (!dtype.has_value()) {
    return Misfit("attribute to is '", to, "', it must be float32, int64, int32, uint8 or bool");
  }
  // Storage of what was float32, for programs of mixed precision: nothing else goes there.
  const DType from = instance->inputs[0].type.dtype;
  const bool narrow = *dtype == DType::kBfloat16 || from == DType::kBfloat16;
  if (narrow && *dtype != DType::kFloat32 && from != DType::kFloat32) {
    return Misfit("bfloat16 is cast from float32 and to float32 alone");
  }
  SetOutput(instance, 0, InputShape(*instance, 0), *dtype);
  return absl::OkStatus();
}

// All operands are alike but for their sizes along the axis, which add up.
absl::Status InferConcat(OpInstance* instance) {
  Shape y = InputShape(*instance, 0);
  RM_ASSIGN_OR_RETURN(const size_t axis, RequireAxis(instance->attributes, y.size(), -1));
  const DType dtype = instance->inputs[0].type.dtype;
  for (size_t i = 1; i < instance->inputs.size(); ++i) {
    const std::string name = absl::StrCat("operand ", i);
    if (!instance->has_input(i)) return Misfit(name, " is absent");
    RM_RETURN_IF_ERROR(RequireType(*instance, i, name, dtype));
    const Shape& shape = InputShape(*instance, i);
    Shape alike = InputShape(*instance, 0);
    if (shape.size() == alike.size()) alike[axis] = shape[axis];
    RM_RETURN_IF_ERROR(RequireShape(name, shape, alike));
    y[axis] += shape[axis];
  }
  SetOutput(instance, 0, std::move(y), dtype);
  return absl::OkStatus();
}

// Broadcasting both ways, as ONNX has it: a 1 in the attribute leaves X's dimension.
absl::Status InferExpand(OpInstance* instance) {
  const std::vector<int64_t> wanted = instance->attributes.Ints("shape", {});
  for (const int64_t dimension : wanted) {
    if (dimension < 0) return Misfit("attribute shape holds ", dimension);
  }
  RM_ASSIGN_OR_RETURN(Shape y, Broadcast(InputShape(*instance, 0),
                                         Shape(wanted.begin(), wanted.end())));
  SetOutput(instance, 0, std::move(y), instance->inputs[0].type.dtype);
  return absl::OkStatus();
}

absl::Status InferSlice(OpInstance* instance) {
  RM_ASSIGN_OR_RETURN(Shape y, SliceShape(instance->attributes, InputShape(*instance, 0)));
  SetOutput(instance, 0, std::move(y), instance->inputs[0].type.dtype);
  return absl::OkStatus();
}

// X's shape is told by the output's type; dY must be what Slice would take of it.
absl::Status InferSliceGrad(OpInstance* instance) {
  RM_RETURN_IF_ERROR(RequireType(*instance, 0, "dY", DType::kFloat32));
  const Shape x = OutputShape(*instance, 0);
  RM_ASSIGN_OR_RETURN(const Shape y, SliceShape(instance->attributes, x));
  RM_RETURN_IF_ERROR(RequireShape("dY", InputShape(*instance, 0), y));
  SetOutput(instance, 0, x);
  return absl::OkStatus();
}

absl::Status InferSplit(OpInstance* instance) {
  const Shape& x = InputShape(*instance, 0);
  RM_ASSIGN_OR_RETURN(const size_t axis, RequireAxis(instance->attributes, x.size(), 0));
  const std::vector<int64_t> sizes = instance->attributes.Ints("split", {});
  if (sizes.size() != instance->outputs.size()) {
    return Misfit("attribute split has ", sizes.size(), " sizes for ", instance->outputs.size(),
                  " outputs");
  }
  int64_t left = x[axis];
  for (const int64_t size : sizes) {
    if (size < 0 || size > left) return Misfit("attribute split does not add up to ", x[axis]);
    left -= size;
  }
  if (left != 0) return Misfit("attribute split does not add up to ", x[axis]);
  for (size_t i = 0; i < sizes.size(); ++i) {
    Shape y = x;
    y[axis] = sizes[i];
    SetOutput(instance, i, std::move(y), instance->inputs[0].type.dtype);
  }
  return absl::OkStatus();
}

absl::Status InferTranspose(OpInstance* instance) {
  const Shape& x = InputShape(*instance, 0);
  const std::vector<int64_t> perm = Permutation(instance->attributes, x.size());
  std::vector<int64_t> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  if (!std::is_permutation(perm.begin(), perm.end(), order.begin(), order.end())) {
    return Misfit("attribute perm is no order of ", x.size(), " dimensions");
  }
  SetOutput(instance, 0, TransposedView(x, perm).shape, instance->inputs[0].type.dtype);
  return absl::OkStatus();
}

absl::Status InferTrilu(OpInstance* instance) {
  const Shape& x = InputShape(*instance, 0);
  if (x.size() < 2) return Misfit("X has ", x.size(), " dimensions, it must have 2 or more");
  SetOutput(instance, 0, x, instance->inputs[0].type.dtype);
  return absl::OkStatus();
}

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
