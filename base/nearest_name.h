// "Did you mean": the known name nearest to what was typed.
#ifndef RM_BASE_NEAREST_NAME_H_
#define RM_BASE_NEAREST_NAME_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rm::base {

// The candidate with the least edit distance to `word`, the first of equals; "" when none is nearer than about a third of
// the word's letters. Pure.
[[nodiscard]] std::string NearestName(absl::string_view word,
                                      absl::Span<const std::string> candidates);

// " – did you mean 'candidate'?", or "" when no candidate is near.
[[nodiscard]] std::string Suggestion(absl::string_view word,
                                     absl::Span<const std::string> candidates);

}  // namespace rm::base

#endif  // RM_BASE_NEAREST_NAME_H_
