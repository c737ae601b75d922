// Metrics as Prometheus reads them (text exposition format 0.0.4).
//
//   PrometheusText text;
//   text.Family("ringmaster_slots", "gauge", "Slots of the cluster by state.");
//   text.Sample({{"state", "free"}}, 3);
//   text.Sample({{"state", "used"}}, 1);
//   reply.body = text.Take();
//
// gives
//
//   # HELP ringmaster_slots Slots of the cluster by state.
//   # TYPE ringmaster_slots gauge
//   ringmaster_slots{state="free"} 3
//   ringmaster_slots{state="used"} 1
#ifndef RM_RUNTIME_TELEMETRY_PROMETHEUS_H_
#define RM_RUNTIME_TELEMETRY_PROMETHEUS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "runtime/telemetry/histogram.h"

namespace rm::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

// The media type of the text.
inline constexpr absl::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

// Writes one text, family by family. Not thread-safe.
class PrometheusText {
 public:
  // Begins a family; following samples are of it. REQUIRES: `name` is [a-z_][a-z0-9_]*, and new to
  // this text; `type` is counter, gauge or histogram.
  void Family(absl::string_view name, absl::string_view type, absl::string_view help);

  // One sample of the present family. Label values are escaped. REQUIRES: label names are
  // [a-z_][a-z0-9_]*, the family is no histogram.
  void Sample(const Labels& labels, double value);

  // All samples of a histogram: its cumulative buckets, its sum and its count.
  void Sample(const Labels& labels, const Histogram& histogram);

  // The text so far; the writer is empty after it.
  [[nodiscard]] std::string Take();

 private:
  void Line(absl::string_view suffix, const Labels& labels, double value);

  std::string text_;
  std::string family_;
  std::string type_;
  std::vector<std::string> families_;
};

}  // namespace rm::telemetry

#endif  // RM_RUNTIME_TELEMETRY_PROMETHEUS_H_
