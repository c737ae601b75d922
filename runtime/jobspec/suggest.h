// "Did you mean …?": the nearest of the names that would have been right.
#ifndef RM_RUNTIME_JOBSPEC_SUGGEST_H_
#define RM_RUNTIME_JOBSPEC_SUGGEST_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rm::jobspec {

// Number of single-character edits (insert, remove, replace, swap of neighbours) from one word to
// the other, without regard to case; words of more than 64 bytes count as wholly different.
[[nodiscard]] int EditDistance(absl::string_view a, absl::string_view b);

// The candidate nearest to `word` (or the only one that `word` is a part of, as batch_size is of
// global_batch_size, or begins with, as training does with train), or "" when none is near enough to be meant: at most a third of
// the letters may differ. Of equally near ones the first.
[[nodiscard]] std::string Nearest(absl::string_view word,
                                  absl::Span<const absl::string_view> candidates);

// " – did you mean 'epochs'?" or "", to be put behind a message.
[[nodiscard]] std::string DidYouMean(absl::string_view word,
                                     absl::Span<const absl::string_view> candidates);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_SUGGEST_H_
