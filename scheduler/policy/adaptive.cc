#include "scheduler/policy/adaptive.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "scheduler/policy/importance.h"
#include "scheduler/policy/service.h"

namespace rm::scheduler {
namespace {

// The head starts of one pass, each size looked up once.
class HeadStarts {
 public:
  explicit HeadStarts(const ClusterState& state)
      : state_(state), small_(SmallService(state.history())) {}

  absl::Duration Of(const Job& job) {
    const int64_t slots = SlotsOf(job);
    const auto known = by_slots_.find(slots);
    if (known != by_slots_.end()) return known->second;
    const absl::Duration start = HeadStart(state_.history(), slots, small_, state_.now());
    by_slots_[slots] = start;
    return start;
  }

 private:
  const ClusterState& state_;
  double small_;
  std::map<int64_t, absl::Duration> by_slots_;
};

// When the first of the running jobs has had its head start, or the first that waits is overdue.
absl::Time NextChange(const ClusterState& state, HeadStarts& head_starts, absl::Duration patience) {
  absl::Time next = absl::InfiniteFuture();
  const Queue& queue = state.queue();
  for (const Job* job = queue.First(); job != nullptr; job = queue.After(*job)) {
    const absl::Time overdue = job->submitted + patience;
    if (overdue <= state.now()) continue;
    next = overdue;
    break;  // the queue is in order of submission
  }
  for (const Job* job : state.holding()) {
    if (job->serving_since == absl::InfiniteFuture()) continue;
    const absl::Duration left = head_starts.Of(*job) - job->Served(state.now());
    if (left > absl::ZeroDuration()) next = std::min(next, state.now() + left);
  }
  return next;
}

}  // namespace

// Times of submission are the order within a level, so two jobs never tie but when they were
// submitted together; then their sequence decides.
PassPlan AdaptivePlan(const PassView& view) {
  const ClusterState& state = view.state;
  if (state.queue().size() == 0) return {};
  HeadStarts head_starts(state);
  const absl::Duration patience = Patience(state.history());
  PassPlan plan = PlanByImportance(view, [&](const Job& job) {
    if (state.now() - job.submitted >= patience) {
      return Importance{-1, absl::ToUnixNanos(job.submitted)};
    }
    const absl::Duration served = job.Served(state.now());
    if (served < head_starts.Of(job)) return Importance{0, absl::ToUnixNanos(job.submitted)};
    return Importance{1, absl::ToUnixNanos(job.submitted - served)};
  });
  if (plan.starts.size() == state.queue().size()) return plan;  // nobody will wait
  plan.next_pass = std::min(plan.next_pass, NextChange(state, head_starts, patience));
  return plan;
}

}  // namespace rm::scheduler
