#include "scheduler/policy/estimate.h"

#include <algorithm>

namespace rm::scheduler {

absl::Duration ExpectedDuration(const Job& job) {
  const double expected = job.submission.expected_seconds();
  if (expected > 0) return absl::Seconds(expected);
  const double limit = job.scheduling().time_limit();
  return limit > 0 ? absl::Seconds(limit) : absl::InfiniteDuration();
}

// Both are counted over all stays with a gang. A job that is stopping counts no more: it is about
// to leave.
absl::Time ExpectedEnd(const Job& job, absl::Time now) {
  const absl::Time soonest = now + absl::Seconds(1);
  if (job.counting_since == absl::InfiniteFuture()) return soonest;
  return std::max(job.counting_since + (ExpectedDuration(job) - job.counted_before), soonest);
}

}  // namespace rm::scheduler
