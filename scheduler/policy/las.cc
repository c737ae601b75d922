#include "scheduler/policy/las.h"

#include <algorithm>
#include <array>
#include <limits>

#include "scheduler/policy/importance.h"
#include "scheduler/policy/service.h"

namespace rm::scheduler {
namespace {

using Thresholds = std::array<double, 4>;  // slot-seconds, ascending

// Steps of four: with fewer, small jobs wait for middling ones; with more, jobs of one size take
// turns and pay restarts for it.
Thresholds ThresholdsOf(const History& history) {
  const double mean = MeanService(history);
  return {mean / 4, mean, 4 * mean, 16 * mean};
}

double AttainedService(const Job& job, absl::Time now) {
  return static_cast<double>(SlotsOf(job)) * absl::ToDoubleSeconds(job.Served(now));
}

// Who never ran comes last in its level: a job that has begun is not stopped for one like it.
int64_t OrderOfStart(const Job& job) {
  if (job.first_running == absl::InfinitePast()) return std::numeric_limits<int64_t>::max();
  return absl::ToUnixNanos(job.first_running);
}

// When the first of the running jobs falls into the next level.
absl::Time NextFall(const ClusterState& state, const Thresholds& thresholds) {
  absl::Time next = absl::InfiniteFuture();
  for (const Job* job : state.holding()) {
    if (job->serving_since == absl::InfiniteFuture()) continue;
    const double attained = AttainedService(*job, state.now());
    const auto level = std::upper_bound(thresholds.begin(), thresholds.end(), attained);
    if (level == thresholds.end()) continue;
    const double left = (*level - attained) / static_cast<double>(SlotsOf(*job));
    next = std::min(next, state.now() + absl::Seconds(left) + absl::Milliseconds(1));
  }
  return next;
}

}  // namespace

PassPlan LasPlan(const PassView& view) {
  const ClusterState& state = view.state;
  const Thresholds thresholds = ThresholdsOf(state.history());
  PassPlan plan = PlanByImportance(view, [&](const Job& job) {
    const double attained = AttainedService(job, state.now());
    const auto level = std::upper_bound(thresholds.begin(), thresholds.end(), attained);
    return Importance{level - thresholds.begin(), OrderOfStart(job)};
  });
  if (state.queue().size() > 0) {
    plan.next_pass = std::min(plan.next_pass, NextFall(state, thresholds));
  }
  return plan;
}

}  // namespace rm::scheduler
