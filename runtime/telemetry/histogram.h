// Counts of observations by size, as Prometheus wants them.
//
// Bounds are fixed when the histogram is made, so that sums over machines and over time stay
// comparable, and an observation costs a search and two additions.
#ifndef RM_RUNTIME_TELEMETRY_HISTOGRAM_H_
#define RM_RUNTIME_TELEMETRY_HISTOGRAM_H_

#include <cstdint>
#include <vector>

namespace rm::telemetry {

// Buckets with fixed upper bounds. A value type; thread-compatible. Observe allocates nothing.
class Histogram {
 public:
  // `bounds` ascend strictly; a last bucket without a bound is added. REQUIRES: not empty.
  explicit Histogram(std::vector<double> bounds);

  // For lengths of time: 100 µs … 100 s, three bounds a decade.
  [[nodiscard]] static Histogram ForSeconds();

  // Counts `value` in the first bucket whose bound is not below it. NaN is counted above all bounds
  // and left out of the sum.
  void Observe(double value);

  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  // Observations in each bucket alone; one more than there are bounds.
  [[nodiscard]] const std::vector<int64_t>& counts() const { return counts_; }
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<int64_t> counts_;
  int64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace rm::telemetry

#endif  // RM_RUNTIME_TELEMETRY_HISTOGRAM_H_
