// How long a job is expected to run, as far as its user or submitter said.
#ifndef RM_SCHEDULER_POLICY_ESTIMATE_H_
#define RM_SCHEDULER_POLICY_ESTIMATE_H_

#include "absl/time/time.h"
#include "scheduler/state/job.h"

namespace rm::scheduler {

// The time that `job` is expected to hold a gang: what its submission expects, else its time_limit,
// which it cannot exceed; InfiniteDuration when neither is given. Pure.
absl::Duration ExpectedDuration(const Job& job);

// When `job`, which holds a gang since it was placed last, is expected to end. One that is over its
// expectation is expected to end one second after `now`. InfiniteFuture: not known. Pure.
absl::Time ExpectedEnd(const Job& job, absl::Time now);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_ESTIMATE_H_
