// Optimal string alignment: the number of single edits, where two neighbours that changed places
// count as one. That is the slip of the hand that plain Levenshtein distance rates twice too bad.
#include "runtime/jobspec/suggest.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rm::jobspec {
namespace {

// Keys are shorter, and the table of distances has a fixed size, so nothing is allocated for a key
// of a megabyte.
constexpr size_t kWordBytesMax = 64;

// Case aside: EPOCHS is meant to be epochs.
bool SameLetter(char a, char b) {
  return absl::ascii_tolower(static_cast<unsigned char>(a)) ==
         absl::ascii_tolower(static_cast<unsigned char>(b));
}

// The only candidate that the word is a part of, as batch_size is of global_batch_size, or that it
// begins with, as training does with train.
std::string Containing(absl::string_view word, absl::Span<const absl::string_view> candidates) {
  constexpr size_t kPartBytesMin = 4;
  if (word.size() < kPartBytesMin) return "";
  std::string found;
  for (const absl::string_view candidate : candidates) {
    const bool begins = candidate.size() >= kPartBytesMin && absl::StartsWith(word, candidate);
    if (!begins && !absl::StrContains(candidate, word)) continue;
    if (!found.empty()) return "";
    found = std::string(candidate);
  }
  return found;
}

}  // namespace

// Row by row over the letters of `a`, with the last three rows kept: a swap of neighbours looks two
// rows back.
int EditDistance(absl::string_view a, absl::string_view b) {
  if (a.size() > kWordBytesMax || b.size() > kWordBytesMax) {
    return static_cast<int>(std::max(a.size(), b.size()));
  }
  // rows[i % 3][j]: distance of the first i letters of a and the first j of b (optimal string
  // alignment).
  std::array<std::array<int, kWordBytesMax + 1>, 3> rows{};
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    const auto& before = rows[(i - 1) % 3];
    auto& row = rows[i % 3];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = before[j - 1] + (SameLetter(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({replaced, before[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && SameLetter(a[i - 1], b[j - 2]) &&
                           SameLetter(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

// The bound grows with the longer word: one edit for a word of three letters, three for one of ten.
std::string Nearest(absl::string_view word, absl::Span<const absl::string_view> candidates) {
  const absl::string_view* nearest = nullptr;
  int least = 0;
  for (const absl::string_view& candidate : candidates) {
    const int distance = EditDistance(word, candidate);
    const int allowed =
        std::max(1, static_cast<int>(std::max(word.size(), candidate.size())) / 3);
    // A word of one or two letters is near to everything.
    if (distance > allowed || static_cast<size_t>(distance) >= candidate.size()) continue;
    if (nearest == nullptr || distance < least) {
      nearest = &candidate;
      least = distance;
    }
  }
  return nearest == nullptr ? Containing(word, candidates) : std::string(*nearest);
}

std::string DidYouMean(absl::string_view word, absl::Span<const absl::string_view> candidates) {
  const std::string nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : absl::StrCat(" – did you mean '", nearest, "'?");
}

}  // namespace rm::jobspec
