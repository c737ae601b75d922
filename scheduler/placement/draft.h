// A cluster that is only supposed: the free slots as they would be if some gangs left and others
// came.
//
// Policies that look ahead plan on a draft; the state is not touched. It borrows the state, which
// must not change while the draft is used. A draft costs a copy of the index of free slots, which
// is O(workers). Not thread-safe.
#ifndef RM_SCHEDULER_PLACEMENT_DRAFT_H_
#define RM_SCHEDULER_PLACEMENT_DRAFT_H_

#include <cstdint>
#include <map>
#include <vector>

#include "scheduler/placement/request.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

class Draft {
 public:
  // The free slots as they are.
  explicit Draft(const ClusterState& state) : state_(&state), free_(state.free_slots()) {}

  // The gang of `job`, which holds slots now, leaves. Slots that it lost with a worker, and slots of
  // a worker that is not Usable(), do not come free.
  void Give(const Job& job);
  // A gang that this draft was given by Take leaves again.
  void Give(const std::vector<WorkerShare>& shares, int64_t slots_per_rank);
  // A gang comes. REQUIRES: the slots are free in the draft.
  void Take(const std::vector<WorkerShare>& shares, int64_t slots_per_rank);

  const FreeSlots& free() const { return free_; }
  // Free slots of `worker` in the draft; 0 when it is not Usable().
  int64_t FreeOn(const Worker& worker) const;

 private:
  void Add(const Worker& worker, int64_t slots);

  const ClusterState* state_;
  FreeSlots free_;
  std::map<const Worker*, int64_t, ByOrdinal> changed_;  // workers whose count differs
};

// For each worker the smaller count of both: what is free now and still free then.
FreeSlots FreeInBoth(const Draft& a, const Draft& b);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_PLACEMENT_DRAFT_H_
