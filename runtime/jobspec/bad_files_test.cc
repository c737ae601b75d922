// Job files that are wrong, and every word that is said about them: the diff of this table is the
// review.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

using Edits = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> ErrorsOf(absl::string_view yaml,
                                  const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> lines;
  for (const Diagnostic& error : Parse(yaml, overrides).errors) {
    lines.push_back(absl::StrCat(error.line, ":", error.column, ": ", error.message));
  }
  return lines;
}

struct BadFile {
  Edits edits;  // of SmallJob()
  std::vector<std::string> errors;
};

void CheckAll(const std::vector<BadFile>& files) {
  for (const BadFile& file : files) {
    const std::string yaml = Edited(SmallJob(), file.edits);
    INFO(yaml);
    CHECK(absl::StrJoin(ErrorsOf(yaml), "\n") == absl::StrJoin(file.errors, "\n"));
  }
}

TEST_CASE("the table") { CheckAll({{{{"epochs: 3", "epoch: 3"}}, {}}}); }

}  // namespace
}  // namespace rm::jobspec
