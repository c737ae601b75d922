#include "tools/bench/report.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/cpu.h"
#include "base/version.h"

namespace rm::bench {

// The median of an even number is the mean of the middle two.
Spread SpreadOf(std::vector<double> values) {
  RM_CHECK(!values.empty(), "nothing was measured");
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

void AddCircumstances(base::Json& line) {
  line.Set("machine", absl::StrCat(base::CpuModel(), ", ", base::CpuCores(), " cores, ",
                                   base::IsaName(base::CpuIsa())));
  line.Set("date", absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone()));
  line.Set("version", base::kVersion);
}

// One line each, flushed at once: a script may be reading it.
void PrintLine(const base::Json& line, bool json) {
  std::string text;
  if (json) {
    text = line.Dump();
  } else {
    for (const auto& [key, value] : line.object()) {
      absl::StrAppend(&text, text.empty() ? "" : "  ", key, " ",
                      value.is_string() ? value.string_or("") : value.Dump());
    }
  }
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

}  // namespace rm::bench
