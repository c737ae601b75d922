#include "tools/bench/trace.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace rm::bench {
namespace {

// Times and slots beyond it are a mistake; below it, sums of them stay exact.
constexpr double kNumberMax = 1e12;

// One line of the file, by the names of its columns.
class Row {
 public:
  Row(const std::map<std::string, size_t>& columns, absl::string_view line, std::string where)
      : columns_(columns), fields_(absl::StrSplit(line, ',')), where_(std::move(where)) {}

  std::string Text(const std::string& column) const {
    const auto at = columns_.find(column);
    if (at == columns_.end() || at->second >= fields_.size()) return "";
    return std::string(absl::StripAsciiWhitespace(fields_[at->second]));
  }

  // An empty field is 0.
  absl::StatusOr<double> Number(const std::string& column) const {
    const std::string text = Text(column);
    if (text.empty()) return 0.0;
    double value = 0;
    if (!absl::SimpleAtod(text, &value) || !std::isfinite(value) || value < 0 ||
        value > kNumberMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(where_, ": column ", column, ": '", text, "' is not a number from 0 on"));
    }
    return value;
  }

 private:
  const std::map<std::string, size_t>& columns_;
  std::vector<std::string> fields_;
  std::string where_;
};

int64_t Rounded(double value) { return static_cast<int64_t>(std::llround(value)); }

// As sources have it: jobs of cpu clusters leave gpus empty, and some count fractions of a core.
absl::StatusOr<TraceJob> ParseRow(const Row& row) {
  TraceJob job;
  job.name = row.Text("job_id");
  job.group = row.Text("group");
  RM_ASSIGN_OR_RETURN(const double submit, row.Number("submit_s"));
  RM_ASSIGN_OR_RETURN(const double gpus, row.Number("gpus"));
  RM_ASSIGN_OR_RETURN(const double cpus, row.Number("cpus"));
  RM_ASSIGN_OR_RETURN(const double duration, row.Number("duration_s"));
  RM_ASSIGN_OR_RETURN(const double requested, row.Number("requested_s"));
  job.submit = Rounded(submit);
  job.slots = static_cast<int64_t>(gpus > 0 ? gpus : cpus);
  job.duration = std::max<int64_t>(1, Rounded(duration));
  job.requested = Rounded(requested);
  return job;
}

// The columns that no job can be replayed without are missed at once, not in the first row.
absl::StatusOr<std::map<std::string, size_t>> ParseHeader(absl::string_view line,
                                                          absl::string_view source) {
  std::map<std::string, size_t> columns;
  size_t at = 0;
  for (const absl::string_view name : absl::StrSplit(line, ',')) {
    columns[std::string(absl::StripAsciiWhitespace(name))] = at++;
  }
  for (const char* needed : {"job_id", "submit_s", "gpus", "duration_s"}) {
    if (columns.count(needed) > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(source, ":1: there is no column ", needed,
                     "; a trace has job_id,submit_s,gpus,cpus,mem_mib,duration_s,group"));
  }
  return columns;
}

}  // namespace

absl::StatusOr<std::vector<TraceJob>> ParseTrace(absl::string_view text, absl::string_view source) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  RM_ASSIGN_OR_RETURN(const auto columns, ParseHeader(lines[0], source));
  std::vector<TraceJob> jobs;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (absl::StripAsciiWhitespace(lines[i]).empty()) continue;
    const Row row(columns, lines[i], absl::StrCat(source, ":", i + 1));
    RM_ASSIGN_OR_RETURN(TraceJob job, ParseRow(row));
    jobs.push_back(std::move(job));
  }
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const TraceJob& a, const TraceJob& b) { return a.submit < b.submit; });
  return jobs;
}

}  // namespace rm::bench
