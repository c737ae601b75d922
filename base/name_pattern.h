// Patterns over names, as job files have them: "*.bias", "encoder.layer?.*".
#ifndef RM_BASE_NAME_PATTERN_H_
#define RM_BASE_NAME_PATTERN_H_

#include "absl/strings/string_view.h"

namespace rm::base {

// Whether the whole of `name` fits `pattern`: '*' stands for any run of characters, the empty one
// included, '?' for one character, everything else for itself. Dots are characters like others, so
// "encoder*" takes all below "encoder.". There is no escape: names of parameters hold neither sign.
// Time is O(pattern · name) at worst, whatever the pattern. Thread-safe.
[[nodiscard]] bool MatchesPattern(absl::string_view pattern, absl::string_view name);

}  // namespace rm::base

#endif  // RM_BASE_NAME_PATTERN_H_
