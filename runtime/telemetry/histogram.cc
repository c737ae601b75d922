// A linear scan would do for twenty bounds; the binary search is no longer and has no surprises.
#include "runtime/telemetry/histogram.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/check.h"

namespace rm::telemetry {

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1, 0) {
  RM_CHECK(!bounds_.empty());
  RM_CHECK(
      std::adjacent_find(bounds_.begin(), bounds_.end(), std::greater_equal<>()) == bounds_.end(),
      "bounds must ascend");
}

Histogram Histogram::ForSeconds() {
  return Histogram({1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                    2.5, 5, 10, 25, 50, 100});
}

void Histogram::Observe(double value) {
  ++count_;
  if (std::isnan(value)) {
    ++counts_.back();
    return;
  }
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  ++counts_[static_cast<size_t>(bound - bounds_.begin())];
  sum_ += value;
}

}  // namespace rm::telemetry
