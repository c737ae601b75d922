#include "base/lines.h"

#include <cstddef>

#include "absl/strings/match.h"

namespace rm::base {

absl::string_view LastLines(absl::string_view text, int count) {
  if (count <= 0) return "";
  // Where the line after the ones counted so far begins, less one: its line break.
  size_t end = absl::EndsWith(text, "\n") ? text.size() - 1 : text.size();
  for (int line = 0; line < count; ++line) {
    const size_t newline = end == 0 ? absl::string_view::npos : text.rfind('\n', end - 1);
    if (newline == absl::string_view::npos) return text;
    end = newline;
  }
  return text.substr(end + 1);
}

}  // namespace rm::base
