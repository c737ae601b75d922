#include "runtime/jobspec/source_text.h"

#include <catch2/catch.hpp>
#include <string>

namespace rm::jobspec {
namespace {

TEST_CASE("lines are found whatever ends them") {
  const SourceText source("one\ntwo\r\n\nfour");
  CHECK(source.Line(1) == "one");
  CHECK(source.Line(2) == "two");
  CHECK(source.Line(3).empty());
  CHECK(source.Line(4) == "four");
  CHECK(source.Line(0).empty());
  CHECK(source.Line(5).empty());
  CHECK(source.Line(-1).empty());
}

TEST_CASE("columns count characters, not bytes") {
  const SourceText source("größe: ½");
  CHECK(source.Column(1, 1) == 1);
  CHECK(source.Column(1, 4) == 4);    // after ö comes ß at byte 5
  CHECK(source.Column(1, 8) == 6);    // ':'
  CHECK(source.Column(1, 10) == 8);   // '½'
  CHECK(source.Column(1, 100) == 97);  // beyond the end
  CHECK(source.Column(7, 3) == 3);
}

TEST_CASE("a byte order mark is passed over") {
  CHECK(SourceText("\xEF\xBB\xBFkind: train").text() == "kind: train");
}

TEST_CASE("what cannot be read is refused with its place") {
  const struct {
    std::string text;
    int line, column;
    const char* message;
  } cases[] = {
      {"a: b\n\tc: d", 2, 1, "a tab indents this line"},
      {"a:\n  \tb: c", 2, 3, "a tab indents this line"},
      {"a: ö\nö: \xff", 2, 4, "not valid UTF-8"},
      {std::string("a: \0b", 5), 1, 4, "a control character"},
      {"a: \x1b[31m", 1, 4, "a control character"},
      {"a: b\rc: d", 1, 5, "a control character"},
      {std::string(kFileBytesMax + 1, ' '), 1, 1, "the file has 1048577 bytes"},
  };
  for (const auto& test : cases) {
    const auto problems = SourceText(test.text).Problems();
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].line == test.line);
    CHECK(problems[0].column == test.column);
    CHECK_THAT(problems[0].message, Catch::Contains(test.message));
  }
}

TEST_CASE("harmless tabs and line ends are let through") {
  for (const char* const text :
       {"", "a:\tb", "a: b\t# c", "\t# comment", "\t\n", "a: b\r\nc: d\r\n", "a: \"\tb\""}) {
    CHECK(SourceText(text).Problems().empty());
  }
  CHECK(SourceText(std::string(kFileBytesMax, ' ')).Problems().empty());
}

}  // namespace
}  // namespace rm::jobspec
