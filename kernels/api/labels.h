// The rule for labels that cannot be classes, the same for every loss kernel.
#ifndef RM_KERNELS_API_LABELS_H_
#define RM_KERNELS_API_LABELS_H_

#include <cstdint>

#include "absl/status/status.h"

namespace rm::kernels {

// OK when each of `rows` labels is in 0…classes−1 or its weight is 0. Otherwise InvalidArgument:
// "label 12 of row 3 is not in 0…9". Allocates nothing when OK.
[[nodiscard]] absl::Status CheckLabels(const int64_t* labels, const float* weights, int64_t rows,
                                       int64_t classes);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_LABELS_H_
