// Least attained service, in two dimensions and discretised: who has had least slot-time goes first.
//
// The level of a job is how many thresholds its attained service (slots × time in RUNNING) has
// reached; the thresholds are 1/4, 1, 4 and 16 times the mean service of the jobs that have ended.
// Within a level, who started first goes first, and who never ran comes last; so jobs of one level
// do not take turns. No starvation bound: a large job may be overtaken by small ones without end.
#ifndef RM_SCHEDULER_POLICY_LAS_H_
#define RM_SCHEDULER_POLICY_LAS_H_

#include "scheduler/policy/pass_view.h"

namespace rm::scheduler {

// Pure. Cost: importance.h. The `plan` of a Policy.
PassPlan LasPlan(const PassView& view);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_LAS_H_
