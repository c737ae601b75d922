#include "base/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"

namespace rm::base {
namespace {

// Edits from `a` to `b`: a letter more, less or other, or two neighbours swapped (optimal string
// alignment), a table of (|a| + 1) × (|b| + 1).
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> edits(a.size() + 1, std::vector<size_t>(b.size() + 1));
  std::iota(edits[0].begin(), edits[0].end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    edits[i][0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t other = edits[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1, other});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
    }
  }
  return edits[a.size()][b.size()];
}

}  // namespace

std::string NearestName(absl::string_view word, absl::Span<const std::string> candidates) {
  std::string best;
  size_t limit = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance >= limit || distance >= candidate.size()) continue;
    limit = distance;
    best = candidate;
  }
  return best;
}

std::string Suggestion(absl::string_view word, absl::Span<const std::string> candidates) {
  const std::string nearest = NearestName(word, candidates);
  return nearest.empty() ? "" : absl::StrCat(" – did you mean '", nearest, "'?");
}

}  // namespace rm::base
