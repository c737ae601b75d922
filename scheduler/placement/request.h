// What a placement is asked, and what it answers.
#ifndef RM_SCHEDULER_PLACEMENT_REQUEST_H_
#define RM_SCHEDULER_PLACEMENT_REQUEST_H_

#include <cstdint>

#include "scheduler/state/worker.h"

namespace rm::scheduler {

// A gang to be placed: as many ranks as fit now, ranks_max at most and ranks_min at least.
struct GangRequest {
  int64_t ranks_min = 1;
  int64_t ranks_max = 1;
  int64_t slots_per_rank = 1;
};

// So many ranks go onto that worker.
struct WorkerShare {
  const Worker* worker = nullptr;
  int64_t ranks = 0;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_PLACEMENT_REQUEST_H_
