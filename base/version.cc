#include "base/version.h"

#include <vector>

#include "absl/strings/str_split.h"

namespace rm::base {

bool VersionsAgree(absl::string_view a, absl::string_view b) {
  if (a == b) return true;
  const std::vector<absl::string_view> left = absl::StrSplit(a, '.');
  const std::vector<absl::string_view> right = absl::StrSplit(b, '.');
  return left.size() == 3 && right.size() == 3 && left[0] == right[0] && left[1] == right[1];
}

}  // namespace rm::base
