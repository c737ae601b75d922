// Job files for tests.
#ifndef RM_RUNTIME_JOBSPEC_TESTING_H_
#define RM_RUNTIME_JOBSPEC_TESTING_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace rm::jobspec {

// The smallest job file: 17 lines, every required key and nothing else.
[[nodiscard]] std::string SmallJob();
// A job file with every key that this version obeys.
[[nodiscard]] std::string FullJob();

// The text with each `first` replaced by its `second`. Aborts when a `first` is not in it.
[[nodiscard]] std::string Edited(
    absl::string_view text, const std::vector<std::pair<std::string, std::string>>& replacements);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_TESTING_H_
