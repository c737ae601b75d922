#include "kernels/api/labels.h"

#include "absl/strings/str_cat.h"

namespace rm::kernels {

// Runs before a loss kernel writes anything, so that a bad label leaves no half-written output, and
// in one pass of its own: B labels are nothing beside B rows of logits.
absl::Status CheckLabels(const int64_t* labels, const float* weights, int64_t rows,
                         int64_t classes) {
  for (int64_t row = 0; row < rows; ++row) {
    // A row of weight 0 pads a last batch or stands for a record that was skipped: nobody has given
    // it a label, so there is nothing to check.
    const bool is_class = labels[row] >= 0 && labels[row] < classes;
    if (is_class || weights[row] == 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("label ", labels[row], " of row ", row, " is not in 0…", classes - 1));
  }
  return absl::OkStatus();
}

}  // namespace rm::kernels
