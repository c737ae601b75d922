#include "scheduler/state/attach.h"

#include <algorithm>

namespace rm::scheduler {

// Slots of a rank need not lie side by side; few ranks share a worker, so a search in the result is
// enough.
std::vector<JobRank> HeldRanks(const Worker& worker) {
  std::vector<JobRank> held;
  for (const Slot& slot : worker.slots) {
    const JobRank rank = {slot.holder, slot.rank};
    const bool known = slot.free() || std::find(held.begin(), held.end(), rank) != held.end();
    if (!known) held.push_back(rank);
  }
  return held;
}

// A running rank of another generation is not this rank: it will be stopped.
bool Runs(const pb::WorkerAttached& attached, const Job& job, int32_t rank) {
  return std::any_of(attached.running().begin(), attached.running().end(),
                     [&](const pb::RankRef& running) {
                       return running.rank() == rank && running.generation() == job.generation &&
                              running.job_id() == job.id();
                     });
}

std::vector<JobRank> MissingRanks(const Worker& worker, const pb::WorkerAttached& attached) {
  std::vector<JobRank> missing;
  for (const auto& [job, rank] : HeldRanks(worker)) {
    const RankPhase phase = job->gang[static_cast<size_t>(rank)].phase;
    if (phase == RankPhase::kGone || Runs(attached, *job, rank)) continue;
    const bool may_start = phase == RankPhase::kAssigned && job->gang_phase == pb::COMING_UP &&
                           attached.storage_problem().empty();
    if (!may_start) missing.push_back({job, rank});
  }
  return missing;
}

}  // namespace rm::scheduler
