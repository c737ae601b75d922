// Durations and sizes as people write them: "500ms 30s 10m 2h", "64MB 1GiB".
#ifndef RM_BASE_UNITS_H_
#define RM_BASE_UNITS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rm::base {

// "500ms", "30s", "10m", "2h", "1h30m", "0s". Never negative, never infinite; a bare number is an error that says
// which units exist.
[[nodiscard]] absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// "512B", "64KB" (1000), "64MiB" (1024²), "1.5GiB"; K M G T with B or iB. A bare number is bytes.
[[nodiscard]] absl::StatusOr<int64_t> ParseBytes(absl::string_view text);

// "1.5 GiB", "64 KiB", "12 B": three significant digits at most.
[[nodiscard]] std::string FormatBytes(int64_t bytes);

// "1h 02m", "2m 03s", "4.2 s", "15 ms": for people.
[[nodiscard]] std::string FormatDuration(absl::Duration duration);

}  // namespace rm::base

#endif  // RM_BASE_UNITS_H_
