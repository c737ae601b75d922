// The format in one place: escapes, numbers, the order of lines. Its grammar is Prometheus' own
// (prometheus.io/docs/instrumenting/exposition_formats); mistakes in names are ours and CHECKed.
#include "runtime/telemetry/prometheus.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/check.h"

namespace rm::telemetry {
namespace {

bool IsName(absl::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), fits);
}

// The shortest text that reads back as the same number; whole numbers without an exponent.
std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return absl::StrCat(static_cast<int64_t>(value));
  }
  // Few digits first: most values are short, and 0.1 should not become 0.10000000000000001.
  for (const int digits : {6, 9, 12, 15, 16}) {
    const std::string text = absl::StrFormat("%.*g", digits, value);
    double back = 0;
    if (absl::SimpleAtod(text, &back) && back == value) return text;
  }
  return absl::StrFormat("%.17g", value);
}

std::string LabelText(const Labels& labels) {
  if (labels.empty()) return "";
  std::string text;
  for (const auto& [name, value] : labels) {
    RM_CHECK(IsName(name), "label ", name);
    absl::StrAppend(&text, text.empty() ? "{" : ",", name, "=\"",
                    absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
                    "\"");
  }
  return text + "}";
}

}  // namespace

void PrometheusText::Family(absl::string_view name, absl::string_view type,
                            absl::string_view help) {
  RM_CHECK(IsName(name), "metric ", name);
  RM_CHECK(type == "counter" || type == "gauge" || type == "histogram", type);
  RM_CHECK(std::find(families_.begin(), families_.end(), name) == families_.end(), "metric ", name,
           " is there already");
  families_.emplace_back(name);
  family_ = std::string(name);
  type_ = std::string(type);
  absl::StrAppend(&text_, "# HELP ", name, " ",
                  absl::StrReplaceAll(help, {{"\\", "\\\\"}, {"\n", "\\n"}}), "\n# TYPE ", name,
                  " ", type, "\n");
}

void PrometheusText::Sample(const Labels& labels, double value) {
  RM_CHECK(type_ == "counter" || type_ == "gauge", family_);
  Line("", labels, value);
}

void PrometheusText::Sample(const Labels& labels, const Histogram& histogram) {
  RM_CHECK(type_ == "histogram", family_);
  // Buckets are kept apart and written as sums: each counts all that is not above its bound.
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  int64_t count = 0;
  for (size_t i = 0; i < histogram.bounds().size(); ++i) {
    count += histogram.counts()[i];
    with_bound.back().second = Number(histogram.bounds()[i]);
    Line("_bucket", with_bound, static_cast<double>(count));
  }
  with_bound.back().second = "+Inf";
  Line("_bucket", with_bound, static_cast<double>(histogram.count()));
  Line("_sum", labels, histogram.sum());
  Line("_count", labels, static_cast<double>(histogram.count()));
}

void PrometheusText::Line(absl::string_view suffix, const Labels& labels, double value) {
  absl::StrAppend(&text_, family_, suffix, LabelText(labels), " ", Number(value), "\n");
}

std::string PrometheusText::Take() {
  std::string text;
  text.swap(text_);
  family_.clear();
  type_.clear();
  families_.clear();
  return text;
}

}  // namespace rm::telemetry
