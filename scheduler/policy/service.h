// What the jobs that have run teach about those that run: how much service a small job takes, and
// for how long it is worth while to see whether a job is one.
//
// Learnt from the history of the state alone: jobs that ended, and the service that others have had
// so far (a job that still runs tells that it took at least so much). Durations of running jobs,
// progress and requested steps are not known here. Pure functions.
#ifndef RM_SCHEDULER_POLICY_SERVICE_H_
#define RM_SCHEDULER_POLICY_SERVICE_H_

#include <cstdint>

#include "absl/time/time.h"
#include "scheduler/state/history.h"

namespace rm::scheduler {

// Mean slot-seconds of the jobs that have ended; of fewer than 10 such jobs 10 slot-hours.
double MeanService(const History& history);

// Slot-seconds up to which a job is small: 0.45 of the mean, rounded to a power of 2 so that it
// changes seldom.
double SmallService(const History& history);

// How long a job of `slots` slots is taken for a small one. A job is small while it has had less
// than small / slots seconds; but with the jobs of its size as a guide it may be told earlier:
// S(t) is the share of them that take more than t seconds (the estimate of Kaplan and Meier over
// the last 250 in order of submission, those that have not ended being censored at their service),
// and as soon as S(small / slots) / S(t) > 0.98 a job that has lasted for t is as good as certain
// to be no small one. Without 8 jobs to learn from: small / slots.
absl::Duration HeadStart(const History& history, int64_t slots, double small_service,
                         absl::Time now);

// After how long a job that has not ended is overdue: 10 times the mean completion time of the jobs
// that ended, and 7 days at least.
absl::Duration Patience(const History& history);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_SERVICE_H_
