// What a tensor is to a kernel: an element type, a logical shape and a physical layout.
//
// Everything here is a plain value: thread-compatible, cheap to copy, and never the owner of a
// tensor's memory, which is passed to a kernel's Run as bare pointers.
#ifndef RM_KERNELS_API_TENSOR_H_
#define RM_KERNELS_API_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

namespace rm::kernels {

// kBfloat16 (kernels/api/bfloat16.h) is no dtype of a model: the graph compiler gives it to values of
// a program that trains in mixed precision, and only operators with a form in it take it
// (kernels/api/bfloat16_form.h), beside those that move elements of any dtype.
enum class DType : uint8_t { kFloat32, kInt64, kInt32, kUInt8, kBool, kBfloat16 };

// Bytes of one element.
[[nodiscard]] size_t ByteSize(DType dtype);

// "float32", "int64", "int32", "uint8", "bool", "bfloat16".
[[nodiscard]] const char* DTypeName(DType dtype);

// The dtype of that name; nothing when there is none.
[[nodiscard]] std::optional<DType> FindDType(absl::string_view name);

// Dimensions, outermost first. A scalar has none. Every dimension ≥ 0.
using Shape = absl::InlinedVector<int64_t, 6>;

// Product of the dimensions (1 for a scalar).
[[nodiscard]] int64_t ElementCount(const Shape& shape);

// "[64, 1, 28, 28]".
[[nodiscard]] std::string ShapeString(const Shape& shape);

// How a tensor's elements lie in memory. The logical shape of an image is always (N, C, H, W).
//   kPlain         row-major in the order of the shape
//   kChannelsLast  (N, H, W, C)
//   kChannels8     (N, ⌈C/8⌉, H, W, 8):   channels padded to a multiple of 8, padding is zero
//   kChannels16    (N, ⌈C/16⌉, H, W, 16): channels padded to a multiple of 16, padding is zero
// All but kPlain need rank 4.
enum class Layout : uint8_t { kPlain, kChannelsLast, kChannels8, kChannels16 };

// "plain", "channels_last", "channels8", "channels16".
[[nodiscard]] const char* LayoutName(Layout layout);

// Channels in one block: 8 or 16 for the blocked layouts, 1 for the others.
[[nodiscard]] int64_t ChannelBlock(Layout layout);

// The type of a tensor. Value semantics. REQUIRES: rank 4 unless the layout is kPlain.
struct TensorType {
  DType dtype = DType::kFloat32;
  Shape shape;
  Layout layout = Layout::kPlain;

  // Elements a reader of the logical tensor sees.
  [[nodiscard]] int64_t elements() const { return ElementCount(shape); }

  // Elements in memory, padding of blocked channels included.
  [[nodiscard]] int64_t physical_elements() const;

  // Bytes in memory: physical_elements() · ByteSize(dtype).
  [[nodiscard]] size_t bytes() const;

  // "[64, 32, 26, 26]"; what is not float32 or not plain is said: "uint8 [2, 3, 4, 5] channels16".
  [[nodiscard]] std::string ToString() const;

  friend bool operator==(const TensorType& a, const TensorType& b) {
    return a.dtype == b.dtype && a.shape == b.shape && a.layout == b.layout;
  }
  friend bool operator!=(const TensorType& a, const TensorType& b) { return !(a == b); }
};

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_TENSOR_H_
