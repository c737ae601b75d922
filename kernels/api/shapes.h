// Checks and arithmetic that shape rules share. All errors are InvalidArgument and say what does
// not fit, naming operands as the ONNX specification does.
#ifndef RM_KERNELS_API_SHAPES_H_
#define RM_KERNELS_API_SHAPES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "kernels/api/op.h"
#include "kernels/api/tensor.h"

namespace rm::kernels {

// InvalidArgument with the parts joined.
template <typename... Parts>
[[nodiscard]] absl::Status Misfit(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// The shape of input or output `i` of the instance.
[[nodiscard]] inline const Shape& InputShape(const OpInstance& instance,
                                                      size_t i) {
  return instance.inputs[i].type.shape;
}
[[nodiscard]] inline const Shape& OutputShape(const OpInstance& instance,
                                                       size_t i) {
  return instance.outputs[i].type.shape;
}

// Sets output `i` to a tensor in plain layout.
void SetOutput(OpInstance* instance, size_t i, Shape shape,
               DType dtype = DType::kFloat32);

// Input `i`, called `name` in the message, has this element type.
[[nodiscard]] absl::Status RequireType(const OpInstance& instance, size_t i,
                                       absl::string_view name, DType dtype);
// float32 of this rank.
[[nodiscard]] absl::Status RequireFloat(const OpInstance& instance, size_t i,
                                        absl::string_view name, size_t rank);
// `shape`, called `name`, is `expected`.
[[nodiscard]] absl::Status RequireShape(absl::string_view name, const Shape& shape,
                                        const Shape& expected);
// An attribute that is a list has this many entries, all of them ≥ `least`; it may be missing.
[[nodiscard]] absl::Status RequireList(const Attributes& attributes,
                                       absl::string_view name, size_t size, int64_t least);
// The attribute `activation` is missing, empty or "relu".
[[nodiscard]] absl::Status RequireActivation(const Attributes& attributes);

// The shape to which two shapes broadcast (ONNX, NumPy).
[[nodiscard]] absl::StatusOr<Shape> Broadcast(const Shape& a,
                                                       const Shape& b);
// True when `from` broadcasts to exactly `to` (unidirectional).
[[nodiscard]] bool BroadcastsTo(const Shape& from, const Shape& to);
// The axes of `to` along which `from` was repeated, ascending. REQUIRES: BroadcastsTo(from, to).
[[nodiscard]] std::vector<int64_t> BroadcastAxes(const Shape& from,
                                                 const Shape& to);

// `axis` counted from the front: −1 is the last one. OutOfRange axes are an error naming them.
[[nodiscard]] absl::StatusOr<int64_t> NormalizeAxis(int64_t axis, size_t rank);

// Product of the dimensions [begin, end).
[[nodiscard]] int64_t Product(const Shape& shape, size_t begin, size_t end);

// The geometry of a 2-D window after checking every attribute it is read from.
// `weight_shape` as in ReadWindow2d.
[[nodiscard]] absl::StatusOr<Window2d> CheckedWindow2d(
    const Attributes& attributes, const Shape& weight_shape);
// The window's output height and width over an input (N, C, H, W); an error when it does not fit.
[[nodiscard]] absl::StatusOr<std::pair<int64_t, int64_t>> WindowOutput(
    const Window2d& window, const Shape& input);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_SHAPES_H_
