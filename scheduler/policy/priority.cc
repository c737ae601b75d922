#include "scheduler/policy/priority.h"

namespace rm::scheduler {

int64_t PriorityRank(const Job& job) { return -int64_t{job.scheduling().priority()}; }

}  // namespace rm::scheduler
