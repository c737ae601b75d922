#include "scheduler/state/free_slots.h"

namespace rm::scheduler {

// `before` may be the count of a worker that was not in the index, because it was not usable then:
// nothing is found and nothing is taken out.
void FreeSlots::Move(const Worker& worker, int32_t before) {
  Suppose(worker, before, worker.Usable() ? worker.free_slots : -1);
}

void FreeSlots::Suppose(const Worker& worker, int32_t before, int32_t after) {
  if (before >= 0) {
    const auto bucket = by_count_.find(before);
    if (bucket != by_count_.end() && bucket->second.erase(&worker) > 0) {
      total_ -= before;
      // No empty buckets: placements walk over counts that have a worker.
      if (bucket->second.empty()) by_count_.erase(bucket);
    }
  }
  if (after < 0) return;
  by_count_[after].insert(&worker);
  total_ += after;
}

}  // namespace rm::scheduler
