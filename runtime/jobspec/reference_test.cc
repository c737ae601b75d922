// The copies in docs/ are what the table makes today.
#include "runtime/jobspec/reference.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/jobspec/components.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"

namespace rm::jobspec {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Compared by line: of a page, only what differs is worth printing.
void CheckCopy(const std::string& path, const std::string& made, const std::string& command) {
  const std::vector<std::string> kept = absl::StrSplit(ReadAll(path), '\n');
  const std::vector<std::string> now = absl::StrSplit(made, '\n');
  INFO("renew it with: dist/bin/trainctl " << command << " > " << path);
  for (size_t i = 0; i < std::min(kept.size(), now.size()); ++i) {
    INFO(path << ":" << i + 1);
    REQUIRE(kept[i] == now[i]);
  }
  CHECK(kept.size() == now.size());
}

TEST_CASE("docs/jobspec.schema.json is what the table makes") {
  CheckCopy("docs/jobspec.schema.json", JsonSchema(), "schema");
}

TEST_CASE("docs/jobspec.md is what the table makes") {
  CheckCopy("docs/jobspec.md", ReferencePage(), "schema --markdown");
}

TEST_CASE("every key, parameter and default stands on the page, in a row of its own") {
  const std::string page = ReferencePage();
  for (const Key& key : Keys()) {
    CAPTURE(key.path);
    const size_t dot = key.path.find('.');
    const bool later = key.type == KeyType::kLater || dot == absl::string_view::npos;
    const absl::string_view name = later ? key.path : key.path.substr(dot + 1);
    const size_t row = page.find(absl::StrCat("| `", name, "` |"));
    REQUIRE(row != std::string::npos);
    CHECK(absl::StrContains(page, absl::StrCat("| ", key.doc, " |")));
    if (!key.fallback.empty()) CHECK(absl::StrContains(page, absl::StrCat("`", key.fallback, "`")));
  }
  for (const Component& component : Components()) {
    for (const Param& param : component.params) {
      CHECK(absl::StrContains(page, absl::StrCat("| `params.", param.name, "` |")));
    }
  }
}

TEST_CASE("no row of a table is broken by what stands in it") {
  for (const absl::string_view line : absl::StrSplit(ReferencePage(), '\n')) {
    if (!absl::StartsWith(line, "|")) continue;
    CAPTURE(line);
    int cells = 0;
    for (size_t i = 0; i < line.size(); ++i) {
      cells += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1 : 0;
    }
    CHECK((cells == 3 || cells == 5));
  }
}

TEST_CASE("the example on the page is a job") {
  const std::string page = ReferencePage();
  const size_t begin = page.find("```yaml\n") + 8;
  const ParseResult result = Parse(page.substr(begin, page.find("```", begin) - begin));
  for (const Diagnostic& error : result.errors) FAIL(error.message);
}

}  // namespace
}  // namespace rm::jobspec
