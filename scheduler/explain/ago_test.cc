#include "scheduler/explain/ago.h"

#include <string>

#include <catch2/catch.hpp>

namespace rm::scheduler {
namespace {

TEST_CASE("times are told as distances") {
  const absl::Time now = absl::FromUnixSeconds(1000);
  struct Case {
    absl::Time then;
    std::string ago;
    std::string in;
  };
  const Case cases[] = {
      {now - absl::Seconds(12), "12 s ago", "now"},
      {now - absl::Minutes(62), "1h 02m ago", "now"},
      {now, "just now", "now"},
      {now + absl::Seconds(3), "just now", "in 3.0 s"},
      {absl::InfiniteFuture(), "just now", "never"},
  };
  for (const Case& c : cases) {
    CHECK(AgoText(now, c.then) == c.ago);
    CHECK(InText(now, c.then) == c.in);
  }
}

}  // namespace
}  // namespace rm::scheduler
