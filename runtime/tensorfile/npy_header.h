// The Python dictionary in the head of an .npy file, read strictly.
#ifndef RM_RUNTIME_TENSORFILE_NPY_HEADER_H_
#define RM_RUNTIME_TENSORFILE_NPY_HEADER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rm::tensorfile {

struct NpyHeader {
  std::string descr;  // "<f4"
  bool fortran_order = false;
  std::vector<int64_t> shape;  // each ≥ 0
};

// Parses "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" with spaces where Python
// allows them; behind it may be spaces and one line feed. InvalidArgument with what is wrong and at
// which byte of `text`; nothing is evaluated, and there is no recursion.
[[nodiscard]] absl::StatusOr<NpyHeader> ParseNpyHeader(absl::string_view text);

// The dictionary as NumPy writes it, without padding.
[[nodiscard]] std::string FormatNpyHeader(absl::string_view descr, absl::Span<const int64_t> shape);

// "<f4" → "F32"; "" for types that are not read. And back: "" for types that .npy does not have.
[[nodiscard]] std::string DtypeOfDescr(absl::string_view descr);
[[nodiscard]] std::string DescrOfDtype(absl::string_view dtype);

}  // namespace rm::tensorfile

#endif  // RM_RUNTIME_TENSORFILE_NPY_HEADER_H_
