#include "kernels/api/labels.h"

#include "absl/strings/str_cat.h"

namespace rm::kernels {

absl::Status CheckLabels(const int64_t* labels, const float* weights, int64_t rows,
                         int64_t classes) {
  for (int64_t row = 0; row < rows; ++row) {
    const bool is_class = labels[row] >= 0 && labels[row] < classes;
    if (is_class || weights[row] == 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("label ", labels[row], " of row ", row, " is not in 0…", classes - 1));
  }
  return absl::OkStatus();
}

}  // namespace rm::kernels
