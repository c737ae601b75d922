// The version of this build. Coordinator, workers and ranks of one cluster must all be of the same one.
#ifndef RM_BASE_VERSION_H_
#define RM_BASE_VERSION_H_

namespace rm::base {

// Semantic versioning (semver.org); CHANGELOG.md says what each version brought.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace rm::base

#endif  // RM_BASE_VERSION_H_
