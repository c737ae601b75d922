// Higher priority first.
#ifndef RM_SCHEDULER_POLICY_PRIORITY_H_
#define RM_SCHEDULER_POLICY_PRIORITY_H_

#include <cstdint>

#include "scheduler/state/job.h"

namespace rm::scheduler {

// scheduling.priority, the higher the earlier (99 is the first of 0–99); equal ones in order of
// submission. Pure. The `rank` of a Policy.
int64_t PriorityRank(const Job& job);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_PRIORITY_H_
