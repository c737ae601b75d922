// The excerpt is built from characters, not bytes: the caret must stand under what people see, and
// a line cut in the middle of a character would be no UTF-8 any more.
#include "runtime/jobspec/diagnostic.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/utf8.h"
#include "runtime/jobspec/source_text.h"

namespace rm::jobspec {
namespace {

// Characters of a long line that are shown.
constexpr size_t kLineCharactersMax = 100;

// Control characters could move the cursor, change colours, or answer on behalf of the user.
bool IsShown(absl::string_view character) {
  return character.size() > 1 || (character[0] >= 0x20 && character[0] != 0x7F);
}

// The characters of a line; what is none, or would disturb a terminal, is '?', and a tab a space.
std::vector<absl::string_view> Characters(absl::string_view line) {
  std::vector<absl::string_view> characters;
  while (!line.empty()) {
    const size_t length = base::Utf8SequenceLength(line);
    const absl::string_view character = line.substr(0, std::max<size_t>(1, length));
    if (character == "\t") {
      characters.push_back(" ");
    } else {
      characters.push_back(length > 0 && IsShown(character) ? character : "?");
    }
    line.remove_prefix(character.size());
  }
  return characters;
}

// The part of a line around `column` (from 1) and the number of characters before the caret.
std::pair<std::string, size_t> Excerpt(absl::string_view line, int column) {
  const std::vector<absl::string_view> characters = Characters(line);
  const size_t caret = std::min(static_cast<size_t>(std::max(1, column)) - 1, characters.size());
  size_t begin = 0;
  if (characters.size() > kLineCharactersMax && caret > kLineCharactersMax / 2) {
    begin = std::min(caret - kLineCharactersMax / 2, characters.size() - kLineCharactersMax);
  }
  const size_t end = std::min(begin + kLineCharactersMax, characters.size());
  const std::string dots = begin > 0 ? "…" : "";
  const auto at = [&](size_t i) { return characters.begin() + static_cast<std::ptrdiff_t>(i); };
  return {absl::StrCat(dots, absl::StrJoin(at(begin), at(end), ""),
                       end < characters.size() ? "…" : ""),
          caret - begin + (begin > 0 ? 1 : 0)};
}

}  // namespace

// Line and column first and in one word with the file: editors and terminals make a link of it.
std::string Render(const Diagnostic& diagnostic, absl::string_view file_name,
                   absl::string_view yaml_text) {
  if (diagnostic.line < 1) return absl::StrCat(file_name, ": ", diagnostic.message);
  const SourceText source(yaml_text);
  const auto [excerpt, before] = Excerpt(source.Line(diagnostic.line), diagnostic.column);
  const std::string number = absl::StrCat(diagnostic.line);
  return absl::StrFormat("%s:%d:%d: %s\n%5s | %s\n%5s | %s^", file_name, diagnostic.line,
                         diagnostic.column, diagnostic.message, number, excerpt, "",
                         std::string(before, ' '));
}

}  // namespace rm::jobspec
