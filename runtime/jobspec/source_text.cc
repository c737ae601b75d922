// What YAML must not be asked about is found here, before it: a parser that meets a tab or a broken
// byte says something true about its own state, and nothing that helps to find the tab.
#include "runtime/jobspec/source_text.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/utf8.h"

namespace rm::jobspec {
namespace {

// Editors on Windows put it first; it says nothing that UTF-8 needs.
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A lone carriage return is forbidden as well: YAML takes it for a line end, and most editors do
// not, so that places would differ.
bool IsForbiddenControl(absl::string_view text, size_t at) {
  const unsigned char c = static_cast<unsigned char>(text[at]);
  if (c == '\r') return at + 1 == text.size() || text[at + 1] != '\n';
  return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7F;
}

// The byte that makes the text unreadable, with the reason.
std::optional<std::pair<size_t, std::string>> FindBadByte(absl::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = base::Utf8SequenceLength(text.substr(at));
    if (length == 0) return {{at, "the file is not valid UTF-8 here"}};
    if (IsForbiddenControl(text, at)) return {{at, "a control character is not allowed here"}};
    at += length;
  }
  return std::nullopt;
}

// The column (from 1) of a tab that indents something; 0 when there is none. Tabs before a comment
// or nothing do no harm.
int TabInIndentation(absl::string_view line) {
  const size_t content = line.find_first_not_of(" \t");
  if (content == absl::string_view::npos || line[content] == '#') return 0;
  const size_t tab = line.substr(0, content).find('\t');
  return tab == absl::string_view::npos ? 0 : static_cast<int>(tab) + 1;
}

}  // namespace

// Where lines begin is found once; every place that is shown needs it.
SourceText::SourceText(absl::string_view text) : text_(absl::StripPrefix(text, kByteOrderMark)) {
  line_begins_.push_back(0);
  for (size_t at = text_.find('\n'); at != absl::string_view::npos; at = text_.find('\n', at + 1)) {
    line_begins_.push_back(at + 1);
  }
}

absl::string_view SourceText::Line(int line) const {
  if (line < 1 || static_cast<size_t>(line) > line_begins_.size()) return "";
  const absl::string_view rest = text_.substr(line_begins_[static_cast<size_t>(line) - 1]);
  return absl::StripSuffix(rest.substr(0, rest.find('\n')), "\r");
}

// YAML parsers count bytes, people and editors count characters.
int SourceText::Column(int line, int byte_column) const {
  absl::string_view rest = Line(line);
  int column = 1;
  int bytes_left = byte_column - 1;
  while (bytes_left > 0 && !rest.empty()) {
    const size_t length = std::max<size_t>(1, base::Utf8SequenceLength(rest));
    rest.remove_prefix(length);
    bytes_left -= static_cast<int>(length);
    ++column;
  }
  return column + std::max(0, bytes_left);
}

// One of a kind is enough: a file in another encoding has thousands of the same.
std::vector<Diagnostic> SourceText::Problems() const {
  if (text_.size() > kFileBytesMax) {
    return {{1, 1, "", absl::StrCat("the file has ", text_.size(),
                                    " bytes; a job file has at most ", kFileBytesMax)}};
  }
  std::vector<Diagnostic> problems;
  if (const auto bad = FindBadByte(text_)) {
    const auto after = std::upper_bound(line_begins_.begin(), line_begins_.end(), bad->first);
    const int line = static_cast<int>(after - line_begins_.begin());
    const int byte_column = static_cast<int>(bad->first - *(after - 1)) + 1;
    problems.push_back({line, Column(line, byte_column), "", bad->second});
  }
  for (int line = 1; static_cast<size_t>(line) <= line_begins_.size(); ++line) {
    const int column = TabInIndentation(Line(line));
    if (column == 0) continue;
    problems.push_back({line, column, "", "a tab indents this line; YAML takes spaces only"});
    break;
  }
  return problems;
}

}  // namespace rm::jobspec
