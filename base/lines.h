// Lines of a text, for showing the end of a log.
#ifndef RM_BASE_LINES_H_
#define RM_BASE_LINES_H_

#include "absl/strings/string_view.h"

namespace rm::base {

// The last `count` lines of the text, as a part of it; the last one may lack its line break. All of
// it when it has no more. Pure.
[[nodiscard]] absl::string_view LastLines(absl::string_view text, int count);

}  // namespace rm::base

#endif  // RM_BASE_LINES_H_
