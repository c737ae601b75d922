#include "base/lines.h"

#include <catch2/catch.hpp>
#include <string>

namespace rm::base {
namespace {

TEST_CASE("the last lines are whole ones from the end, with or without a line break there") {
  const struct {
    std::string text;
    int count;
    std::string last;
  } cases[] = {
      {"", 3, ""},
      {"\n", 1, "\n"},
      {"one", 1, "one"},
      {"one\n", 1, "one\n"},
      {"one\ntwo\nthree\n", 1, "three\n"},
      {"one\ntwo\nthree\n", 2, "two\nthree\n"},
      {"one\ntwo\nthree\n", 3, "one\ntwo\nthree\n"},
      {"one\ntwo\nthree\n", 100, "one\ntwo\nthree\n"},
      {"one\ntwo\nthree", 2, "two\nthree"},
      {"one\n\n\n", 2, "\n\n"},
      {"\n\nthree", 2, "\nthree"},
      {"one\ntwo\n", 0, ""},
      {"one\ntwo\n", -1, ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text, c.count);
    CHECK(LastLines(c.text, c.count) == c.last);
  }
}

}  // namespace
}  // namespace rm::base
