#include "runtime/telemetry/histogram.h"

#include <limits>

#include <catch2/catch.hpp>

namespace rm::telemetry {
namespace {

TEST_CASE("a value is counted in the first bucket that holds it, bounds included") {
  Histogram histogram({1, 2, 4});
  for (const double value : {-1.0, 1.0, 1.5, 2.0, 4.0, 4.1, 1e9}) histogram.Observe(value);
  CHECK(histogram.counts() == std::vector<int64_t>{2, 2, 1, 2});
  CHECK(histogram.count() == 7);
  CHECK(histogram.sum() == Approx(-1 + 1 + 1.5 + 2 + 4 + 4.1 + 1e9));
}

TEST_CASE("what is no number is counted but does not spoil the sum") {
  Histogram histogram({1});
  histogram.Observe(0.5);
  histogram.Observe(std::numeric_limits<double>::quiet_NaN());
  CHECK(histogram.counts() == std::vector<int64_t>{1, 1});
  CHECK(histogram.sum() == 0.5);
}

TEST_CASE("the buckets for seconds reach from a fast fsync to a slow recovery") {
  Histogram histogram = Histogram::ForSeconds();
  CHECK(histogram.bounds().front() == 1e-4);
  CHECK(histogram.bounds().back() == 100);
  CHECK(histogram.counts().size() == histogram.bounds().size() + 1);
}

}  // namespace
}  // namespace rm::telemetry
