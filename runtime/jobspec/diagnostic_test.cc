#include "runtime/jobspec/diagnostic.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace rm::jobspec {
namespace {

TEST_CASE("an error shows its line with a caret under the place") {
  const Diagnostic error{2, 3, "train.epoch", "unknown key 'epoch' – did you mean 'epochs'?"};
  CHECK(Render(error, "job.yaml", "train:\n  epoch: 3\n") ==
        "job.yaml:2:3: unknown key 'epoch' – did you mean 'epochs'?\n"
        "    2 |   epoch: 3\n"
        "      |   ^");
}

TEST_CASE("an error without a place names the file only") {
  CHECK(Render({0, 0, "train.steps", "--set train.steps=x: no"}, "job.yaml", "a: b") ==
        "job.yaml: --set train.steps=x: no");
}

TEST_CASE("the caret counts characters") {
  CHECK(Render({1, 5, "", "m"}, "f", "öä: ß") == "f:1:5: m\n    1 | öä: ß\n      |     ^");
}

TEST_CASE("what would disturb a terminal is not shown") {
  CHECK(Render({1, 4, "", "m"}, "f", "a:\t\x1b[31m\xff") ==
        "f:1:4: m\n    1 | a: ?[31m?\n      |    ^");
}

TEST_CASE("a long line is cut around the place") {
  const std::string line = absl::StrCat(std::string(500, 'a'), "X", std::string(500, 'b'));
  const std::string cut =
      absl::StrCat("…", std::string(50, 'a'), "X", std::string(49, 'b'), "…");
  CHECK(Render({1, 501, "", "m"}, "f", line) ==
        absl::StrCat("f:1:501: m\n    1 | ", cut, "\n      | ", std::string(51, ' '), "^"));
  CHECK_THAT(Render({1, 1, "", "m"}, "f", line), Catch::EndsWith("\n      | ^"));
  CHECK_THAT(Render({1, 1001, "", "m"}, "f", line), Catch::EndsWith(std::string(100, ' ') + " ^"));
}

TEST_CASE("places that the text does not have do no harm") {
  CHECK(Render({7, 1, "", "m"}, "f", "a") == "f:7:1: m\n    7 | \n      | ^");
  CHECK(Render({1, 99, "", "m"}, "f", "a") == "f:1:99: m\n    1 | a\n      |  ^");
}

}  // namespace
}  // namespace rm::jobspec
