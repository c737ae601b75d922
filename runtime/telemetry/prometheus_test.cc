#include "runtime/telemetry/prometheus.h"

#include <limits>

#include <catch2/catch.hpp>

namespace rm::telemetry {
namespace {

TEST_CASE("families and samples are written line by line") {
  PrometheusText text;
  text.Family("ringmaster_slots", "gauge", "Slots of the cluster by state.");
  text.Sample({{"state", "free"}}, 3);
  text.Sample({{"state", "used"}, {"pool", "default"}}, 1);
  text.Family("ringmaster_workers", "gauge", "Attached workers.");
  text.Sample({}, 2);
  CHECK(text.Take() ==
        "# HELP ringmaster_slots Slots of the cluster by state.\n"
        "# TYPE ringmaster_slots gauge\n"
        "ringmaster_slots{state=\"free\"} 3\n"
        "ringmaster_slots{state=\"used\",pool=\"default\"} 1\n"
        "# HELP ringmaster_workers Attached workers.\n"
        "# TYPE ringmaster_workers gauge\n"
        "ringmaster_workers 2\n");
  CHECK(text.Take().empty());
}

TEST_CASE("a histogram's buckets add up") {
  Histogram histogram({0.1, 1});
  for (const double value : {0.05, 0.5, 0.5, 7.0}) histogram.Observe(value);
  PrometheusText text;
  text.Family("ringmaster_wait_seconds", "histogram", "Waiting.");
  text.Sample({{"pool", "a"}}, histogram);
  CHECK(text.Take() ==
        "# HELP ringmaster_wait_seconds Waiting.\n"
        "# TYPE ringmaster_wait_seconds histogram\n"
        "ringmaster_wait_seconds_bucket{pool=\"a\",le=\"0.1\"} 1\n"
        "ringmaster_wait_seconds_bucket{pool=\"a\",le=\"1\"} 3\n"
        "ringmaster_wait_seconds_bucket{pool=\"a\",le=\"+Inf\"} 4\n"
        "ringmaster_wait_seconds_sum{pool=\"a\"} 8.05\n"
        "ringmaster_wait_seconds_count{pool=\"a\"} 4\n");
}

TEST_CASE("a histogram that saw nothing is all zeros, and a series of each label set is its own") {
  Histogram empty({1});
  Histogram full({1});
  full.Observe(3);
  PrometheusText text;
  text.Family("h", "histogram", "x");
  text.Sample({{"node", "a"}}, empty);
  text.Sample({{"node", "b"}}, full);
  CHECK(text.Take() ==
        "# HELP h x\n"
        "# TYPE h histogram\n"
        "h_bucket{node=\"a\",le=\"1\"} 0\n"
        "h_bucket{node=\"a\",le=\"+Inf\"} 0\n"
        "h_sum{node=\"a\"} 0\n"
        "h_count{node=\"a\"} 0\n"
        "h_bucket{node=\"b\",le=\"1\"} 0\n"
        "h_bucket{node=\"b\",le=\"+Inf\"} 1\n"
        "h_sum{node=\"b\"} 3\n"
        "h_count{node=\"b\"} 1\n");
}

TEST_CASE("a family without samples is still announced, and each text begins anew") {
  PrometheusText text;
  text.Family("a", "counter", "first");
  text.Family("b", "gauge", "second");
  text.Sample({}, 1);
  CHECK(text.Take() == "# HELP a first\n# TYPE a counter\n# HELP b second\n# TYPE b gauge\nb 1\n");
  text.Family("a", "counter", "first");  // known to the text before, new to this one
  text.Sample({{"x", ""}}, 0);
  CHECK(text.Take() == "# HELP a first\n# TYPE a counter\na{x=\"\"} 0\n");
}

TEST_CASE("label values and help texts are escaped") {
  PrometheusText text;
  text.Family("x", "gauge", "two\nlines \\ and \"quotes\"");
  text.Sample({{"reason", "a \"b\" \\ c\nd"}}, 1);
  CHECK(text.Take() ==
        "# HELP x two\\nlines \\\\ and \"quotes\"\n"
        "# TYPE x gauge\n"
        "x{reason=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n");
}

TEST_CASE("numbers read back as they were") {
  struct Case {
    double value;
    const char* text;
  };
  const Case cases[] = {
      {0, "0"},
      {-3, "-3"},
      {1234567890123, "1234567890123"},
      {0.1, "0.1"},
      {1e-4, "0.0001"},
      {1.0 / 3, "0.3333333333333333"},
      {0.078490027999999989, "0.07849002799999999"},
      {5e-324, "4.94066e-324"},
      {-0.25, "-0.25"},
      {1e15, "1e+15"},
      {1e300, "1e+300"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN"},
  };
  for (const Case& c : cases) {
    PrometheusText text;
    text.Family("x", "gauge", "h");
    text.Sample({}, c.value);
    CHECK(text.Take() == std::string("# HELP x h\n# TYPE x gauge\nx ") + c.text + "\n");
  }
}

}  // namespace
}  // namespace rm::telemetry
