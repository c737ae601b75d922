#include "scheduler/state/timer.h"

#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// Keeps the earlier of two timers; the first one when they are equal.
void Offer(Timer& best, TimerKind kind, absl::Time at) {
  if (at < best.at) best = {kind, at};
}

// The limit counts the time with a gang, over all stays; a job that waits or is paused has time.
// When the training is done there is nothing left to limit.
absl::Time TimeLimitAt(const Job& job) {
  const double limit = job.scheduling().time_limit();
  if (limit <= 0 || job.training_done) return absl::InfiniteFuture();
  return job.counting_since + (absl::Seconds(limit) - job.counted_before);
}

// Timers of STARTING, RUNNING and RECOVERING. Several may run at once: the earliest is the next.
Timer GangTimer(const Job& job, const Windows& windows) {
  Timer best;
  Offer(best, TimerKind::kTimeLimit, TimeLimitAt(job));
  if (job.training_done) {
    Offer(best, TimerKind::kLeaveOver, job.training_done_at + windows.leave);
  } else if (job.Together()) {
    Offer(best, TimerKind::kLeftEarly, job.left_early_at + windows.leave);
  }
  if (job.gang_phase == pb::CAUSE_UNKNOWN) {
    Offer(best, TimerKind::kCauseUnknown, job.lost_at + windows.cause);
  } else if (job.gang_phase == pb::WAITING_FOR_SLOTS) {
    Offer(best, TimerKind::kRecoveryGrace,
          job.lost_at + absl::Seconds(job.scheduling().recovery_grace()));
  }
  return best;
}

}  // namespace

Timer NextTimer(const Job& job, const Windows& windows) {
  if (job.state == pb::STOPPING) return {TimerKind::kStopDeadline, job.stop_deadline};
  if (CountsTime(job.state)) return GangTimer(job, windows);
  const double queue_timeout = job.scheduling().queue_timeout();
  if (job.state == pb::QUEUED && queue_timeout > 0) {
    return {TimerKind::kQueueTimeout, job.since + absl::Seconds(queue_timeout)};
  }
  return {};
}

bool TimeIsUp(const Job& job) {
  const double limit = job.scheduling().time_limit();
  return limit > 0 && !CountsTime(job.state) && job.counted_before >= absl::Seconds(limit);
}

absl::Time WorkerDeadline(const Worker& worker, const Windows& windows) {
  return worker.state == pb::ABSENT ? worker.since + windows.adopt : absl::InfiniteFuture();
}

}  // namespace rm::scheduler
