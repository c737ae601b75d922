#include "runtime/tensorfile/dtype.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rm::tensorfile {
namespace {

// The names of the format with the bytes of one element. A new type of whole bytes is one line.
struct Dtype {
  absl::string_view name;
  uint64_t bytes;
};

constexpr Dtype kDtypes[] = {
    {"F32", 4},  {"F64", 8},     {"F16", 2},     {"BF16", 2}, {"I64", 8},
    {"I32", 4},  {"I16", 2},     {"I8", 1},      {"U64", 8},  {"U32", 4},
    {"U16", 2},  {"U8", 1},      {"BOOL", 1},    {"C64", 8},  {"F8_E4M3", 1},
    {"F8_E5M2", 1}, {"F8_E8M0", 1},
};

}  // namespace

// A short list, looked through from the front: F32 comes first.
uint64_t ElementBytes(absl::string_view dtype) {
  for (const Dtype& known : kDtypes) {
    if (known.name == dtype) return known.bytes;
  }
  return 0;
}

// The product is kept below 2⁶³, so that sums of a few of them and offsets in JSON (int64) are
// safe. Zeros are looked for first: an empty tensor is empty, even where its other dimensions would
// overflow.
absl::StatusOr<uint64_t> TensorBytes(absl::string_view dtype, absl::Span<const int64_t> shape) {
  uint64_t bytes = ElementBytes(dtype);
  if (bytes == 0) return absl::InvalidArgumentError(absl::StrCat("unknown dtype '", dtype, "'"));
  bool empty = false;
  for (const int64_t dimension : shape) {
    if (dimension < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(DescribeTensor(dtype, shape), " has a negative dimension"));
    }
    if (dimension == 0) empty = true;
  }
  if (empty) return 0;
  for (const int64_t dimension : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(dimension), &bytes) ||
        bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return absl::InvalidArgumentError(
          absl::StrCat(DescribeTensor(dtype, shape), " is larger than any memory"));
    }
  }
  return bytes;
}

std::string DescribeTensor(absl::string_view dtype, absl::Span<const int64_t> shape) {
  return absl::StrCat(dtype, " [", absl::StrJoin(shape, ", "), "]");
}

}  // namespace rm::tensorfile
