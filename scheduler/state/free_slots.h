// Usable workers by their count of free slots: the index that placements search.
#ifndef RM_SCHEDULER_STATE_FREE_SLOTS_H_
#define RM_SCHEDULER_STATE_FREE_SLOTS_H_

#include <cstdint>
#include <map>
#include <set>

#include "scheduler/state/worker.h"

namespace rm::scheduler {

struct ByOrdinal {
  bool operator()(const Worker* a, const Worker* b) const { return a->ordinal < b->ordinal; }
};

// An index over workers owned by a ClusterState. Not thread-safe.
class FreeSlots {
 public:
  using Workers = std::set<const Worker*, ByOrdinal>;

  // Enters `worker` under its present count, and takes it out of `before` (-1: it was not in the
  // index). A worker that is not Usable() leaves the index.
  void Move(const Worker& worker, int32_t before);
  // Enters `worker` under the count `after` that is only supposed (-1: leaves it out), and takes it
  // out of `before` (-1: it was not in the index). For indices beside the one of the state.
  void Suppose(const Worker& worker, int32_t before, int32_t after);

  // count of free slots → the usable workers with so many; counts without a worker are absent.
  const std::map<int32_t, Workers>& by_count() const { return by_count_; }
  // Free slots of all usable workers.
  int64_t total() const { return total_; }

 private:
  std::map<int32_t, Workers> by_count_;
  int64_t total_ = 0;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_FREE_SLOTS_H_
