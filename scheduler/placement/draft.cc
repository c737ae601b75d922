#include "scheduler/placement/draft.h"

#include <algorithm>

#include "base/check.h"
#include "scheduler/state/transition_check.h"

namespace rm::scheduler {

// Slot by slot: a slot that the gang lost with its worker may be somebody else's by now.
void Draft::Give(const Job& job) {
  for (const GangRank& rank : job.gang) {
    const Worker* worker = state_->FindWorker(rank.where.worker_id());
    if (worker == nullptr || !worker->Usable()) continue;
    const int64_t held = std::count_if(
        rank.where.slots().begin(), rank.where.slots().end(),
        [&](int32_t slot) { return HoldsSlot(*worker, slot, job, rank.where.rank()); });
    Add(*worker, held);
  }
}

void Draft::Give(const std::vector<WorkerShare>& shares, int64_t slots_per_rank) {
  for (const WorkerShare& share : shares) Add(*share.worker, share.ranks * slots_per_rank);
}

void Draft::Take(const std::vector<WorkerShare>& shares, int64_t slots_per_rank) {
  for (const WorkerShare& share : shares) Add(*share.worker, -share.ranks * slots_per_rank);
}

// A worker that is not usable is in no index, whatever is free on it.
int64_t Draft::FreeOn(const Worker& worker) const {
  if (!worker.Usable()) return 0;
  const auto changed = changed_.find(&worker);
  return changed == changed_.end() ? worker.free_slots : changed->second;
}

// Only what differs from the state is kept, so a draft of a large cluster stays small.
void Draft::Add(const Worker& worker, int64_t slots) {
  const int64_t before = FreeOn(worker);
  const int64_t after = before + slots;
  RM_CHECK(after >= 0, "worker ", worker.id, " has ", before, " slots in the draft");
  free_.Suppose(worker, static_cast<int32_t>(before), static_cast<int32_t>(after));
  changed_[&worker] = after;
}

// A worker without a free slot in `a` has none in both.
FreeSlots FreeInBoth(const Draft& a, const Draft& b) {
  FreeSlots both;
  for (const auto& [count, workers] : a.free().by_count()) {
    if (count == 0) continue;
    for (const Worker* worker : workers) {
      both.Suppose(*worker, -1, static_cast<int32_t>(std::min<int64_t>(count, b.FreeOn(*worker))));
    }
  }
  return both;
}

}  // namespace rm::scheduler
