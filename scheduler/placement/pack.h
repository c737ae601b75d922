// Few workers, and of those the fullest ones: leaves the largest holes for the gangs that come
// after.
#ifndef RM_SCHEDULER_PLACEMENT_PACK_H_
#define RM_SCHEDULER_PLACEMENT_PACK_H_

#include <vector>

#include "scheduler/placement/request.h"
#include "scheduler/state/free_slots.h"

namespace rm::scheduler {

// Takes the workers with room for most ranks until the rest fits one worker; the rest goes to the
// worker that it fills best. That needs the fewest workers there can be. Ties: the fewest free
// slots, then the worker that attached first.
//
// For example, 5 ranks of 1 slot with 4, 1 and 2 free slots on w1, w2 and w3: w1 takes 4, and the
// last rank goes to w2, which it fills, not to w3.
//
// Pure. O(distinct counts of free slots + workers taken); never looks at a worker that it does not
// take.
std::vector<WorkerShare> Pack(const FreeSlots& free, const GangRequest& request);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_PLACEMENT_PACK_H_
