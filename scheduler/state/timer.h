// What must happen to a job when nothing else does: its next timer.
//
//   state, phase                          timer            after
//   QUEUED                                kQueueTimeout    queue_timeout in the queue
//   STARTING, RUNNING, RECOVERING         kTimeLimit       time_limit in these states, all stays
//   together, a rank left with code 0     kLeftEarly       the leave window
//   RUNNING, training done                kLeaveOver       the leave window
//   CAUSE_UNKNOWN                         kCauseUnknown    the cause window
//   WAITING_FOR_SLOTS                     kRecoveryGrace   recovery_grace after the loss
//   STOPPING                              kStopDeadline    its grace
//
// What awaits reports of ranks (kLeftEarly, kLeaveOver, kCauseUnknown) begins anew when the
// coordinator starts: nothing could be heard before. The others are times that people chose.
//
// Pure functions: safe from any thread.
#ifndef RM_SCHEDULER_STATE_TIMER_H_
#define RM_SCHEDULER_STATE_TIMER_H_

#include "absl/time/time.h"
#include "scheduler/state/job.h"
#include "scheduler/state/windows.h"
#include "scheduler/state/worker.h"

namespace rm::scheduler {

enum class TimerKind {
  kNone,
  kQueueTimeout,
  kTimeLimit,
  kLeftEarly,
  kLeaveOver,
  kCauseUnknown,
  kRecoveryGrace,
  kStopDeadline,
};

struct Timer {
  TimerKind kind = TimerKind::kNone;
  absl::Time at = absl::InfiniteFuture();
};

// The earliest timer of `job`; of two at the same time the one that stands first in the table
// above.
Timer NextTimer(const Job& job, const Windows& windows);

// Whether a job that holds no gang has used up its time_limit in earlier stays. It may have without
// a timer having fired, when nobody looked: the coordinator was away, and what ended the last stay
// was due before the limit.
bool TimeIsUp(const Job& job);

// When an absent worker is given up; InfiniteFuture for any other.
absl::Time WorkerDeadline(const Worker& worker, const Windows& windows);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_TIMER_H_
