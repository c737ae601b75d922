// The element types of tensor files, by the names that safetensors gives them.
#ifndef RM_RUNTIME_TENSORFILE_DTYPE_H_
#define RM_RUNTIME_TENSORFILE_DTYPE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rm::tensorfile {

// Bytes of one element of a dtype of the format ("F32" → 4); 0 for an unknown name. Types of less
// than a byte ("F4") are not known.
[[nodiscard]] uint64_t ElementBytes(absl::string_view dtype);

// Bytes of a tensor. InvalidArgument for an unknown dtype, a negative dimension, or a product
// beyond 63 bits.
[[nodiscard]] absl::StatusOr<uint64_t> TensorBytes(absl::string_view dtype,
                                                   absl::Span<const int64_t> shape);

// "F32 [2, 3]", for messages.
[[nodiscard]] std::string DescribeTensor(absl::string_view dtype, absl::Span<const int64_t> shape);

}  // namespace rm::tensorfile

#endif  // RM_RUNTIME_TENSORFILE_DTYPE_H_
