#include "base/name_pattern.h"

#include <cstddef>

namespace rm::base {

// Greedy with one way back: when something does not fit, the last '*' takes one character more.
// Earlier ones need not be tried again, as the last one can take whatever they could have.
bool MatchesPattern(absl::string_view pattern, absl::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = absl::string_view::npos;  // place of the last '*' seen
  size_t taken = 0;                       // where the name went on behind what it took
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace rm::base
