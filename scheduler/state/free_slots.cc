#include "scheduler/state/free_slots.h"

namespace rm::scheduler {

void FreeSlots::Move(const Worker& worker, int32_t before) {
  if (before >= 0) {
    const auto bucket = by_count_.find(before);
    if (bucket != by_count_.end() && bucket->second.erase(&worker) > 0) {
      total_ -= before;
      if (bucket->second.empty()) by_count_.erase(bucket);
    }
  }
  if (worker.state != pb::READY) return;
  by_count_[worker.free_slots].insert(&worker);
  total_ += worker.free_slots;
}

}  // namespace rm::scheduler
