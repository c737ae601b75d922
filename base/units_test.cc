#include "base/units.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/random.h"

namespace rm::base {
namespace {

TEST_CASE("Durations are read exactly") {
  struct Case {
    std::string text;
    absl::Duration duration;
  };
  const Case cases[] = {
      {"500ms", absl::Milliseconds(500)},
      {"30s", absl::Seconds(30)},
      {"10m", absl::Minutes(10)},
      {"2h", absl::Hours(2)},
      {"1h30m", absl::Minutes(90)},
      {"1d12h", absl::Hours(36)},
      {"1d2h3m4s5ms", absl::Hours(26) + absl::Minutes(3) + absl::Milliseconds(4005)},
      {"1.5s", absl::Milliseconds(1500)},
      {"0.1s", absl::Milliseconds(100)},
      {"0.5h15m", absl::Minutes(45)},
      {"0s", absl::ZeroDuration()},
      {"007s", absl::Seconds(7)},
      {"36500d", absl::Hours(24 * 36500)},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<absl::Duration> duration = ParseDuration(c.text);
    CAPTURE(c.text, duration.status().ToString());
    REQUIRE(duration.ok());
    CHECK(*duration == c.duration);
  }
}

TEST_CASE("A duration of any parts is the sum of its parts") {
  struct Unit {
    const char* name;
    absl::Duration length;
  };
  const Unit units[] = {{"d", absl::Hours(24)},
                        {"h", absl::Hours(1)},
                        {"m", absl::Minutes(1)},
                        {"s", absl::Seconds(1)},
                        {"ms", absl::Milliseconds(1)}};
  RandomStream random(23, 0);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    absl::Duration sum;
    for (const Unit& unit : units) {
      if (random.NextBelow(2) == 0) continue;
      const int64_t thousandths = static_cast<int64_t>(random.NextBelow(2'000'000));
      absl::StrAppendFormat(&text, "%d.%03d%s", thousandths / 1000, thousandths % 1000, unit.name);
      sum += unit.length * thousandths / 1000;
    }
    if (text.empty()) continue;
    const absl::StatusOr<absl::Duration> duration = ParseDuration(text);
    CAPTURE(text, duration.status().ToString());
    REQUIRE(duration.ok());
    CHECK(*duration == sum);
  }
}

TEST_CASE("What is no duration is refused, with the reason and what is allowed") {
  struct Case {
    std::string text;
    std::string why;
  };
  const Case cases[] = {
      {"", "it is empty"},
      {"30", "a unit is missing"},
      {"0", "a unit is missing"},
      {"1h30", "a unit is missing"},
      {"s", "a number is missing or malformed"},
      {"1.s", "a number is missing or malformed"},
      {".5s", "a number is missing or malformed"},
      {"1..5s", "a number is missing or malformed"},
      {"1h m", "a number is missing or malformed"},
      {"123456789012345678901s", "a number is missing or malformed"},
      {"-5s", "it may not be negative"},
      {"30sec", "unknown unit \"sec\""},
      {"30S", "unknown unit \"S\""},
      {"5us", "unknown unit \"us\""},
      {"inf", "a number is missing or malformed"},
      {"30 s", "a unit is missing"},
      {"10m1h", "units must go from long to short, each at most once"},
      {"1h1h", "units must go from long to short, each at most once"},
      {"36501d", "it is longer than 36500d"},
      {"99999999999999999999d", "it is longer than 36500d"},
      {"36500d1ms", "it is longer than 36500d"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<absl::Duration> duration = ParseDuration(c.text);
    CAPTURE(c.text);
    REQUIRE_FALSE(duration.ok());
    CHECK(duration.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(duration.status().message() ==
          absl::StrCat("\"", c.text, "\" is not a duration: ", c.why,
                       "; write a number and a unit (ms, s, m, h, d), as in 500ms, 30s, 1h30m"));
  }
}

TEST_CASE("Sizes are read exactly") {
  struct Case {
    std::string text;
    int64_t bytes;
  };
  const Case cases[] = {
      {"0", 0},
      {"17", 17},
      {"512B", 512},
      {"64KB", 64'000},
      {"64KiB", 65'536},
      {"64MB", 64'000'000},
      {"64MiB", 67'108'864},
      {"1GB", 1'000'000'000},
      {"1GiB", 1'073'741'824},
      {"1.5GiB", 1'610'612'736},
      {"2TB", 2'000'000'000'000},
      {"2TiB", 2'199'023'255'552},
      {"64 KiB", 65'536},
      {"0.1KiB", 102},  // 102.4: a fraction of a byte is dropped
      {"9223372036854775807", std::numeric_limits<int64_t>::max()},
      {"8388607.9TiB", 9223371926903613030},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<int64_t> bytes = ParseBytes(c.text);
    CAPTURE(c.text, bytes.status().ToString());
    REQUIRE(bytes.ok());
    CHECK(*bytes == c.bytes);
  }
}

TEST_CASE("What is no size is refused, with the reason and what is allowed") {
  struct Case {
    std::string text;
    std::string why;
  };
  const Case cases[] = {
      {"", "it is empty"},
      {"-1GiB", "it may not be negative"},
      {"GiB", "the number is missing or malformed"},
      {"1.GiB", "the number is missing or malformed"},
      {"1e9", "unknown unit \"e9\""},
      {"64M", "unknown unit \"M\""},
      {"64mb", "unknown unit \"mb\""},
      {"64Mb", "unknown unit \"Mb\""},
      {"1PB", "unknown unit \"PB\""},
      {"1 GiB ", "unknown unit \"GiB \""},
      {"1GiB2", "unknown unit \"GiB2\""},
      {"NaN", "the number is missing or malformed"},
      {"9223372036854775808", "it is larger than any storage"},
      {"8388608TiB", "it is larger than any storage"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<int64_t> bytes = ParseBytes(c.text);
    CAPTURE(c.text);
    REQUIRE_FALSE(bytes.ok());
    CHECK(bytes.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(bytes.status().message() ==
          absl::StrCat("\"", c.text, "\" is not a size: ", c.why,
                       "; write a number and a unit (B, KB, MB, GB, TB of 1000, or KiB, MiB, GiB, "
                       "TiB of 1024), as in 64MB, 1.5GiB"));
  }
}

TEST_CASE("Bytes are written with three digits at most") {
  struct Case {
    int64_t bytes;
    std::string text;
  };
  const Case cases[] = {
      {0, "0 B"},
      {12, "12 B"},
      {999, "999 B"},
      {1000, "0.977 KiB"},
      {1024, "1 KiB"},
      {1536, "1.5 KiB"},
      {65'536, "64 KiB"},
      {102'400, "100 KiB"},
      {1'023'487, "999 KiB"},
      {1'023'488, "0.976 MiB"},
      {int64_t{3} << 29, "1.5 GiB"},
      {int64_t{1} << 40, "1 TiB"},
      {int64_t{1} << 50, "1 PiB"},
      {std::numeric_limits<int64_t>::max(), "8 EiB"},
      {-1536, "-1.5 KiB"},
      {std::numeric_limits<int64_t>::min(), "-8 EiB"},
  };
  for (const Case& c : cases) CHECK(FormatBytes(c.bytes) == c.text);
}

TEST_CASE("What FormatBytes writes of whole units is read back by ParseBytes") {
  for (int shift = 0; shift < 50; ++shift) {
    const int64_t bytes = int64_t{1} << shift;
    CAPTURE(FormatBytes(bytes));
    CHECK(*ParseBytes(FormatBytes(bytes)) == bytes);
  }
}

TEST_CASE("What FormatBytes writes is within half a percent") {
  RandomStream random(21, 0);
  for (int i = 0; i < 2000; ++i) {
    const int64_t bytes = static_cast<int64_t>(random.NextBits() >> (16 + random.NextBelow(47)));
    const std::string text = FormatBytes(bytes);
    const double back = static_cast<double>(*ParseBytes(text));
    if (std::fabs(back - static_cast<double>(bytes)) > 0.0051 * static_cast<double>(bytes) + 1) {
      FAIL(bytes << " as " << text);
    }
  }
}

TEST_CASE("Durations are written for people") {
  struct Case {
    absl::Duration duration;
    std::string text;
  };
  const Case cases[] = {
      {absl::ZeroDuration(), "0 s"},
      {absl::Nanoseconds(300), "0.3 us"},
      {absl::Microseconds(42), "42 us"},
      {absl::Nanoseconds(999'499), "999 us"},
      {absl::Nanoseconds(999'500), "1.0 ms"},
      {absl::Microseconds(4240), "4.2 ms"},
      {absl::Microseconds(9960), "10 ms"},
      {absl::Milliseconds(15), "15 ms"},
      {absl::Microseconds(999'499), "999 ms"},
      {absl::Microseconds(999'500), "1.0 s"},
      {absl::Milliseconds(4200), "4.2 s"},
      {absl::Milliseconds(9949), "9.9 s"},
      {absl::Milliseconds(9960), "10 s"},
      {absl::Milliseconds(59'499), "59 s"},
      {absl::Milliseconds(59'500), "1m 00s"},
      {absl::Seconds(123), "2m 03s"},
      {absl::Milliseconds(3'599'499), "59m 59s"},
      {absl::Milliseconds(3'599'500), "1h 00m"},
      {absl::Minutes(62), "1h 02m"},
      {absl::Minutes(24 * 60) - absl::Seconds(31), "23h 59m"},
      {absl::Minutes(24 * 60) - absl::Seconds(30), "1d 00h"},
      {absl::Hours(76), "3d 04h"},
      {absl::InfiniteDuration(), "infinite"},
      {-absl::Milliseconds(4200), "-4.2 s"},
      {-absl::InfiniteDuration(), "-infinite"},
  };
  for (const Case& c : cases) {
    CAPTURE(absl::FormatDuration(c.duration));
    CHECK(base::FormatDuration(c.duration) == c.text);
  }
}

TEST_CASE(
    "A longer duration is never written as a shorter one, and the error is what rounding makes") {
  RandomStream random(24, 0);
  for (int i = 0; i < 5000; ++i) {
    const absl::Duration duration =
        absl::Nanoseconds(static_cast<int64_t>(random.NextBits() >> (12 + random.NextBelow(40))));
    std::string text = base::FormatDuration(duration);
    if (absl::EndsWith(text, "us")) continue;  // ParseDuration knows no microseconds
    text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
    const absl::StatusOr<absl::Duration> back = ParseDuration(text);
    CAPTURE(text);
    REQUIRE(back.ok());
    // Half of the last unit shown: an hour from a day on, a minute from an hour on, and so forth.
    const absl::Duration last = duration >= absl::Hours(23) + absl::Minutes(59) ? absl::Hours(1)
                                : duration >= absl::Minutes(59)                 ? absl::Minutes(1)
                                : duration >= absl::Seconds(9)                  ? absl::Seconds(1)
                                                               : duration / 10 + absl::Seconds(0);
    CHECK(absl::AbsDuration(*back - duration) <= last / 2 + absl::Nanoseconds(1));
  }
}

TEST_CASE("No bytes whatsoever bring the parsers down, and what they accept is never negative") {
  constexpr absl::string_view kLetters = "0123456789..-+ dhmsKMGTiBe\xFF";
  RandomStream random(22, 0);
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    const uint64_t size = random.NextBelow(10);
    for (uint64_t k = 0; k < size; ++k) text.push_back(kLetters[random.NextBelow(kLetters.size())]);
    const absl::StatusOr<absl::Duration> duration = ParseDuration(text);
    if (duration.ok() && *duration < absl::ZeroDuration()) FAIL(text);
    const absl::StatusOr<int64_t> bytes = ParseBytes(text);
    if (bytes.ok() && *bytes < 0) FAIL(text);
  }
}

}  // namespace
}  // namespace rm::base
