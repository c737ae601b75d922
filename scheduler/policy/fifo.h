// First in, first out.
#ifndef RM_SCHEDULER_POLICY_FIFO_H_
#define RM_SCHEDULER_POLICY_FIFO_H_

#include <cstdint>

#include "scheduler/state/job.h"

namespace rm::scheduler {

// All jobs are equal: the order of submission decides. Pure. The `rank` of a Policy.
int64_t FifoRank(const Job& job);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_FIFO_H_
