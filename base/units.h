// Durations and sizes as people write them: "500ms 30s 10m 2h", "64MB 1GiB".
//
//   duration = part { part }         part = number unit     units, in this order: d h m s ms
//   size     = number [" "] [unit]   number = digits ["." digits], at most 20 digits
//
// Arithmetic is exact: "0.1s" is a hundred million nanoseconds. Errors are InvalidArgument in one
// line that quotes the text, says what is wrong with it and what would be right:
//
//   "30" is not a duration: a unit is missing; write a number and a unit (ms, s, m, h, d), as in …
//
// Pure functions. Qualify the call of FormatDuration (base::FormatDuration): Abseil has one of
// that name and argument too, for machines.
#ifndef RM_BASE_UNITS_H_
#define RM_BASE_UNITS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rm::base {

// "500ms", "30s", "10m", "2h", "1h30m", "1.5h", "3d", "0s". Never negative, never more than 36500d
// (a hundred years); a bare number is an error that says which units exist.
[[nodiscard]] absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// "512B", "64KB" (1000), "64MiB" (1024²), "1.5GiB"; K M G T with B or iB, case matters. A bare
// number is bytes. A fraction of a byte is dropped.
[[nodiscard]] absl::StatusOr<int64_t> ParseBytes(absl::string_view text);

// "1.5 GiB", "64 KiB", "12 B": three significant digits at most. ParseBytes reads it back.
[[nodiscard]] std::string FormatBytes(int64_t bytes);

// "3d 04h", "1h 02m", "2m 03s", "4.2 s", "15 ms", "250 us": for people, rounded to what is shown.
[[nodiscard]] std::string FormatDuration(absl::Duration duration);

}  // namespace rm::base

#endif  // RM_BASE_UNITS_H_
