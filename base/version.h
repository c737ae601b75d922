// The version of this program, and which versions work together.
#ifndef RM_BASE_VERSION_H_
#define RM_BASE_VERSION_H_

#include "absl/strings/string_view.h"

namespace rm::base {

// Semantic version: while the major number is 0, a new minor number may change what crosses a
// process boundary.
inline constexpr absl::string_view kVersion = "0.1.0";

// True when a coordinator and a worker of these versions may work together: equal but for the last
// (patch) number. A text that is not "major.minor.patch" agrees with nothing but itself. Pure.
[[nodiscard]] bool VersionsAgree(absl::string_view a, absl::string_view b);

}  // namespace rm::base

#endif  // RM_BASE_VERSION_H_
