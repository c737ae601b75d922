#include "kernels/api/shapes.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace rm::kernels {


// An absent output keeps no type: nobody reads it.
void SetOutput(OpInstance* instance, size_t i, Shape shape, DType dtype) {
  if (!instance->has_output(i)) return;
  instance->outputs[i].type = {dtype, std::move(shape), Layout::kPlain};
}

// Messages begin with the operand's name in the ONNX specification, which users can look up.
absl::Status RequireType(const OpInstance& instance, size_t i, absl::string_view name,
                         DType dtype) {
  const DType actual = instance.inputs[i].type.dtype;
  if (actual == dtype) return absl::OkStatus();
  return Misfit(name, " is ", DTypeName(actual), ", it must be ",
                DTypeName(dtype));
}

absl::Status RequireFloat(const OpInstance& instance, size_t i, absl::string_view name,
                          size_t rank) {
  RM_RETURN_IF_ERROR(RequireType(instance, i, name, DType::kFloat32));
  if (InputShape(instance, i).size() == rank) return absl::OkStatus();
  return Misfit(name, " has ", InputShape(instance, i).size(), " dimensions, it must have ", rank);
}

absl::Status RequireShape(absl::string_view name, const Shape& shape, const Shape& expected) {
  if (shape == expected) return absl::OkStatus();
  return Misfit(name, " has shape ", ShapeString(shape), ", it must be ", ShapeString(expected));
}

// The attribute may also be there but of another kind, which Ints() answers with its fallback.
absl::Status RequireList(const Attributes& attributes, absl::string_view name, size_t size,
                         int64_t least) {
  if (!attributes.Has(name)) return absl::OkStatus();
  const std::vector<int64_t> list = attributes.Ints(name, {});
  if (list.size() != size) {
    return Misfit("attribute ", name, " must be a list of ", size, " whole numbers");
  }
  for (int64_t x : list) {
    if (x < least) return Misfit("attribute ", name, " holds ", x, ", the least is ", least);
  }
  return absl::OkStatus();
}

absl::Status RequireActivation(const Attributes& attributes) {
  const std::string activation = attributes.String("activation", "");
  if (activation.empty() || activation == "relu") return absl::OkStatus();
  return Misfit("unknown activation '", activation, "'; there is relu");
}

// Shapes are aligned at their last dimensions; a missing or single one is repeated.
absl::StatusOr<Shape> Broadcast(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < out.size(); ++i) {  // from the last dimension to the first
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      return Misfit(ShapeString(a), " and ", ShapeString(b), " do not broadcast");
    }
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

// Broadcasting both ways must change nothing about `to`.
bool BroadcastsTo(const Shape& from, const Shape& to) {
  const absl::StatusOr<Shape> both = Broadcast(from, to);
  return both.ok() && *both == to;
}

// Along an axis where both have one element nothing is repeated, but a dimension that `from` lacks
// has to go all the same.
std::vector<int64_t> BroadcastAxes(const Shape& from, const Shape& to) {
  const size_t missing = to.size() - from.size();
  std::vector<int64_t> axes;
  for (size_t i = 0; i < to.size(); ++i) {
    if (i < missing || from[i - missing] != to[i]) axes.push_back(static_cast<int64_t>(i));
  }
  return axes;
}

absl::StatusOr<int64_t> NormalizeAxis(int64_t axis, size_t rank) {
  const int64_t r = static_cast<int64_t>(rank);
  if (axis < -r || axis >= r)
    return Misfit("axis ", axis, " of a tensor with ", rank, " dimensions");
  return axis < 0 ? axis + r : axis;
}

int64_t Product(const Shape& shape, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t i = begin; i < end; ++i) product *= shape[i];
  return product;
}

// ReadWindow2d takes what is well-formed and ignores the rest; a file from a user may hold
// anything, and a kernel that trusts a stride of 0 divides by it.
absl::StatusOr<Window2d> CheckedWindow2d(const Attributes& attributes, const Shape& weight_shape) {
  const std::string auto_pad = attributes.String("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET") return Misfit("auto_pad ", auto_pad, " is not known, only NOTSET");
  if (attributes.Int("ceil_mode", 0) != 0) return Misfit("ceil_mode is not known");
  RM_RETURN_IF_ERROR(RequireList(attributes, "kernel_shape", 2, 1));
  RM_RETURN_IF_ERROR(RequireList(attributes, "strides", 2, 1));
  RM_RETURN_IF_ERROR(RequireList(attributes, "dilations", 2, 1));
  RM_RETURN_IF_ERROR(RequireList(attributes, "pads", 4, 0));
  const Window2d window = ReadWindow2d(attributes, weight_shape);
  if (window.group < 1) return Misfit("group ", window.group, " must be at least 1");
  return window;
}

// ⌊(in + pads − dilation·(kernel − 1) − 1) / stride⌋ + 1 places, at least one.
absl::StatusOr<std::pair<int64_t, int64_t>> WindowOutput(const Window2d& window,
                                                         const Shape& input) {
  const int64_t height = window.OutputHeight(input[2]);
  const int64_t width = window.OutputWidth(input[3]);
  if (height < 1 || width < 1) {
    return Misfit("a window of ", window.kernel_h, "×", window.kernel_w,
                  " does not fit into an image of ", input[2], "×", input[3]);
  }
  return std::make_pair(height, width);
}

}  // namespace rm::kernels
