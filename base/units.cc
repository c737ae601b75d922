// Texts are taken apart from the left: each Take… removes from a view what it has understood, and
// what is left when nothing more fits is the error.
#include "base/units.h"

#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/json.h"
#include "base/status.h"

namespace rm::base {
namespace {

// 128 bits hold every product below exactly, so there is no rounding to explain.
using Wide = unsigned __int128;

// A decimal number without sign or exponent, exactly: digits / scale.
struct Decimal {
  Wide digits = 0;
  Wide scale = 1;
};

// Digits that a Decimal may have: digits · (the largest unit) stays far below 2¹²⁸.
constexpr size_t kDigitsMax = 20;

// Takes the number that `text` begins with ("1.5" of "1.5GiB"); false when it begins with none, or
// too long a one.
bool TakeDecimal(absl::string_view* text, Decimal* number) {
  size_t digits = 0, fraction = 0, at = 0;
  bool point = false;
  for (; at < text->size(); ++at) {
    const char c = (*text)[at];
    if (c == '.' && !point && digits > 0) {
      point = true;
      continue;
    }
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) break;
    if (digits == kDigitsMax) return false;
    number->digits = number->digits * 10 + static_cast<Wide>(c - '0');
    ++digits;
    if (point) {
      number->scale *= 10;
      ++fraction;
    }
  }
  if (digits == 0 || (point && fraction == 0)) return false;
  text->remove_prefix(at);
  return true;
}

// Takes the letters that `text` begins with.
absl::string_view TakeLetters(absl::string_view* text) {
  size_t at = 0;
  while (at < text->size() && absl::ascii_isalpha(static_cast<unsigned char>((*text)[at]))) ++at;
  const absl::string_view letters = text->substr(0, at);
  text->remove_prefix(at);
  return letters;
}

// The unit of that name, or nullptr.
template <typename Unit, size_t kCount>
const Unit* FindUnit(const Unit (&units)[kCount], absl::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// ---- Durations ----

struct TimeUnit {  // d, h, m, s, ms
  absl::string_view name;
  int64_t nanoseconds;
};

// From the longest to the shortest: the order in which they must follow each other.
constexpr TimeUnit kTimeUnits[] = {
    {"d", 86'400'000'000'000}, {"h", 3'600'000'000'000}, {"m", 60'000'000'000},
    {"s", 1'000'000'000},      {"ms", 1'000'000},
};

// A hundred years: longer than any job, and what nanoseconds in an int64 hold with room for sums.
constexpr Wide kNanosecondsMax = static_cast<Wide>(36'500) * 86'400'000'000'000;

absl::Status DurationError(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(JsonQuote(text), " is not a duration: ", why,
                   "; write a number and a unit (ms, s, m, h, d), as in 500ms, 30s, 1h30m"));
}

// ---- Sizes ----

struct ByteUnit {  // 1000 with B, 1024 with iB; none is bytes
  absl::string_view name;
  int64_t bytes;
};

constexpr ByteUnit kByteUnits[] = {
    {"", 1},
    {"B", 1},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", int64_t{1} << 10},
    {"MiB", int64_t{1} << 20},
    {"GiB", int64_t{1} << 30},
    {"TiB", int64_t{1} << 40},
};

absl::Status BytesError(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(JsonQuote(text), " is not a size: ", why,
                   "; write a number and a unit (B, KB, MB, GB, TB of 1000, or KiB, MiB, GiB, TiB "
                   "of 1024), as in 64MB, 1.5GiB"));
}

// ---- Formatting ----

// "4.2 ms" below ten, "15 ms" from there on.
std::string WithUnit(double value, absl::string_view unit) {
  return absl::StrFormat("%.*f %s", value < 9.95 ? 1 : 0, value, unit);
}

// Two neighbouring units of a whole number of the smaller: "2m 03s".
std::string TwoUnits(int64_t count, int64_t per_larger, char larger, char smaller) {
  return absl::StrFormat("%d%c %02d%c", count / per_larger, larger, count % per_larger, smaller);
}

// `duration` in whole units, rounded.
int64_t Rounded(absl::Duration duration, absl::Duration unit) {
  return (duration + unit / 2) / unit;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::string_view rest = text;
  const TimeUnit* before = nullptr;
  Wide total = 0;
  if (rest.empty()) return DurationError(text, "it is empty");
  if (absl::StartsWith(rest, "-")) return DurationError(text, "it may not be negative");
  while (!rest.empty()) {
    Decimal number;
    if (!TakeDecimal(&rest, &number)) {
      return DurationError(text, "a number is missing or malformed");
    }
    const absl::string_view name = TakeLetters(&rest);
    if (name.empty()) return DurationError(text, "a unit is missing");
    const TimeUnit* const unit = FindUnit(kTimeUnits, name);
    if (unit == nullptr) return DurationError(text, absl::StrCat("unknown unit ", JsonQuote(name)));
    if (before != nullptr && unit <= before) {
      return DurationError(text, "units must go from long to short, each at most once");
    }
    total += number.digits * static_cast<Wide>(unit->nanoseconds) / number.scale;
    if (total > kNanosecondsMax) return DurationError(text, "it is longer than 36500d");
    before = unit;
  }
  return absl::Nanoseconds(static_cast<int64_t>(total));
}

absl::StatusOr<int64_t> ParseBytes(absl::string_view text) {
  absl::string_view rest = text;
  Decimal number;
  if (rest.empty()) return BytesError(text, "it is empty");
  if (absl::StartsWith(rest, "-")) return BytesError(text, "it may not be negative");
  if (!TakeDecimal(&rest, &number)) return BytesError(text, "the number is missing or malformed");
  if (absl::StartsWith(rest, " ")) rest.remove_prefix(1);
  const ByteUnit* const unit = FindUnit(kByteUnits, rest);
  if (unit == nullptr) return BytesError(text, absl::StrCat("unknown unit ", JsonQuote(rest)));
  const Wide bytes = number.digits * static_cast<Wide>(unit->bytes) / number.scale;
  if (bytes > static_cast<Wide>(std::numeric_limits<int64_t>::max())) {
    return BytesError(text, "it is larger than any storage");
  }
  return static_cast<int64_t>(bytes);
}

std::string FormatBytes(int64_t bytes) {
  constexpr absl::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  // 999.5 would be written with four digits.
  while (std::fabs(value) >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.3g %s", value, kUnits[unit]);
}

std::string FormatDuration(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return absl::StrCat("-", base::FormatDuration(-duration));
  if (duration == absl::InfiniteDuration()) return "infinite";
  if (duration == absl::ZeroDuration()) return "0 s";
  // Each limit is where the text of the shorter unit would round up to the next one.
  if (duration < absl::Nanoseconds(999'500)) {
    return WithUnit(absl::ToDoubleMicroseconds(duration), "us");
  }
  if (duration < absl::Microseconds(999'500)) {
    return WithUnit(absl::ToDoubleMilliseconds(duration), "ms");
  }
  if (duration < absl::Milliseconds(59'500)) return WithUnit(absl::ToDoubleSeconds(duration), "s");
  const int64_t seconds = Rounded(duration, absl::Seconds(1));
  if (seconds < 3600) return TwoUnits(seconds, 60, 'm', 's');
  const int64_t minutes = Rounded(duration, absl::Minutes(1));
  if (minutes < 24 * 60) return TwoUnits(minutes, 60, 'h', 'm');
  return TwoUnits(Rounded(duration, absl::Hours(1)), 24, 'd', 'h');
}

}  // namespace rm::base
