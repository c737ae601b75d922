#include "tools/bench/report.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace rm::bench {
namespace {

TEST_CASE("the spread of repeats is their median, least and greatest, in whatever order they came") {
  const struct {
    std::vector<double> values;
    double median, least, greatest;
  } cases[] = {
      {{5}, 5, 5, 5},
      {{1, 3}, 2, 1, 3},
      {{3, 1, 2}, 2, 1, 3},
      {{4, 1, 3, 2}, 2.5, 1, 4},
      {{9, 9, 1, 9, 9}, 9, 1, 9},
      {{-1, 0, -2}, -1, -2, 0},
  };
  for (const auto& c : cases) {
    const Spread spread = SpreadOf(c.values);
    CAPTURE(c.values);
    CHECK(spread.median == c.median);
    CHECK(spread.least == c.least);
    CHECK(spread.greatest == c.greatest);
  }
}

TEST_CASE("a line says where, when and with what it was measured, behind what it had") {
  base::Json line;
  line.Set("bench", "train");
  AddCircumstances(line);
  REQUIRE(line.object().size() == 4);
  CHECK(line.object()[0].first == "bench");
  CHECK(line.Find("machine")->string_or("").find(" cores, ") != std::string::npos);
  CHECK(line.Find("date")->string_or("").find('T') == 10);
  CHECK_FALSE(line.Find("version")->string_or("").empty());
}

}  // namespace
}  // namespace rm::bench
