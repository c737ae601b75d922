// The text of a job file: what is checked before YAML looks at it, and where its characters stand.
#ifndef RM_RUNTIME_JOBSPEC_SOURCE_TEXT_H_
#define RM_RUNTIME_JOBSPEC_SOURCE_TEXT_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "runtime/jobspec/diagnostic.h"

namespace rm::jobspec {

// A job file is written by people; a megabyte of it is a mistake.
inline constexpr size_t kFileBytesMax = size_t{1} << 20;

// Borrows the text. Immutable, so thread-safe.
class SourceText {
 public:
  explicit SourceText(absl::string_view text);

  // The text without a byte order mark.
  [[nodiscard]] absl::string_view text() const { return text_; }

  // Line `line` (from 1) without its end; empty when there is none.
  [[nodiscard]] absl::string_view Line(int line) const;
  // The column in characters of byte `byte_column` of a line, both from 1. Columns beyond the end
  // count on.
  [[nodiscard]] int Column(int line, int byte_column) const;

  // What forbids to read the text at all: too long, not UTF-8, control characters, tabs as
  // indentation. The first of its kind each.
  [[nodiscard]] std::vector<Diagnostic> Problems() const;

 private:
  absl::string_view text_;
  std::vector<size_t> line_begins_;
};

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_SOURCE_TEXT_H_
