#include "base/clock.h"

#include <catch2/catch.hpp>

#include "absl/time/clock.h"

namespace rm::base {
namespace {

TEST_CASE("The real clock's wall time is the machine's") {
  const absl::Time before = absl::Now();
  const absl::Time now = RealClock().Now();
  const absl::Time after = absl::Now();
  CHECK(before <= now);
  CHECK(now <= after);
}

TEST_CASE("The real clock's monotonic time never goes back") {
  absl::Duration last = RealClock().Monotonic();
  for (int i = 0; i < 10'000; ++i) {
    const absl::Duration next = RealClock().Monotonic();
    if (next < last) FAIL("went back by " << absl::FormatDuration(last - next));
    last = next;
  }
}

TEST_CASE("Sleeping takes at least as long as asked, and nothing at all for zero and less") {
  const absl::Duration start = RealClock().Monotonic();
  RealClock().SleepFor(absl::Milliseconds(5));
  CHECK(RealClock().Monotonic() - start >= absl::Milliseconds(5));
  RealClock().SleepFor(absl::ZeroDuration());
  RealClock().SleepFor(-absl::InfiniteDuration());  // would hang if it were not a no-op
}

TEST_CASE("There is one real clock") { CHECK(&RealClock() == &RealClock()); }

}  // namespace
}  // namespace rm::base
