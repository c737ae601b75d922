#include "scheduler/placement/gang.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "scheduler/state/transition_check.h"

namespace rm::scheduler {
namespace {

// Ranks in the making, on the slots of each worker from the lowest free one up.
class RankMaker {
 public:
  explicit RankMaker(int64_t slots_per_rank) : slots_per_rank_(slots_per_rank) {}

  // So many ranks on free slots of a worker that was not given to it before.
  void Add(const WorkerShare& share) {
    int32_t slot = 0;
    for (int64_t i = 0; i < share.ranks; ++i) {
      pb::Placement placement;
      placement.set_worker_id(share.worker->id);
      while (placement.slots_size() < slots_per_rank_) {
        if (share.worker->slots[static_cast<size_t>(slot)].free()) placement.add_slots(slot);
        ++slot;
      }
      ranks_.push_back(std::move(placement));
    }
  }

  std::vector<pb::Placement> Take() { return std::move(ranks_); }

 private:
  int64_t slots_per_rank_;
  std::vector<pb::Placement> ranks_;
};

// Gives each rank its number and its number on its worker.
// Ranks of one worker need not be neighbours in the gang: a newcomer takes the number of the rank
// it replaces.
void Number(std::vector<pb::Placement>& gang) {
  std::map<std::string, int32_t> ranks_on;
  int32_t rank = 0;
  for (pb::Placement& placement : gang) {
    placement.set_rank(rank++);
    placement.set_local_rank(ranks_on[placement.worker_id()]++);
  }
}

// Ranks without numbers yet.
std::vector<pb::Placement> PlaceRanks(const ClusterState& state, const Placer& placer,
                                      const pb::ResourceSpec& resources,
                                      const GangRequest& request) {
  FreeSlots storage;
  RankMaker maker(request.slots_per_rank);
  for (const WorkerShare& share : placer.place(EligibleSlots(state, resources, storage), request)) {
    maker.Add(share);
  }
  return maker.Take();
}

// Whether all slots of `rank` are still held for it, on a worker that may be given a rank again.
bool StillHeld(const ClusterState& state, const Job& job, const GangRank& rank) {
  const Worker* worker = state.FindWorker(rank.where.worker_id());
  return worker != nullptr && worker->storage_problem.empty() &&
         std::all_of(rank.where.slots().begin(), rank.where.slots().end(), [&](int32_t slot) {
           return HoldsSlot(*worker, slot, job, rank.where.rank());
         });
}

// A kept rank keeps its place in the order, so most ranks keep their number.
// Puts the newcomers where ranks were lost, and the others behind; what nobody replaces is left
// out.
std::vector<pb::Placement> Merge(const std::vector<pb::Placement>& kept_or_empty,
                                 std::vector<pb::Placement> newcomers) {
  std::vector<pb::Placement> gang;
  auto newcomer = newcomers.begin();
  for (const pb::Placement& kept : kept_or_empty) {
    if (kept.slots_size() > 0) {
      gang.push_back(kept);
    } else if (newcomer != newcomers.end()) {
      gang.push_back(std::move(*newcomer++));
    }
  }
  std::move(newcomer, newcomers.end(), std::back_inserter(gang));
  return gang;
}

}  // namespace

GangRequest RequestOf(const pb::ResourceSpec& resources) {
  return {resources.ranks_min(), resources.ranks_max(), resources.slots_per_rank()};
}

bool Matches(const Worker& worker, const pb::ResourceSpec& resources) {
  return std::all_of(resources.node_selector().begin(), resources.node_selector().end(),
                     [&](const auto& wanted) {
                       const auto label = worker.labels.find(wanted.first);
                       return label != worker.labels.end() && label->second == wanted.second;
                     });
}

// The common case, no selector, copies nothing. With one, an index of the matching workers is made:
// it costs a look at each usable worker.
const FreeSlots& EligibleSlots(const ClusterState& state, const pb::ResourceSpec& resources,
                               FreeSlots& storage) {
  return EligibleSlots(state.free_slots(), resources, storage);
}

const FreeSlots& EligibleSlots(const FreeSlots& free, const pb::ResourceSpec& resources,
                               FreeSlots& storage) {
  if (resources.node_selector().empty()) return free;
  for (const auto& [count, workers] : free.by_count()) {
    for (const Worker* worker : workers) {
      if (Matches(*worker, resources)) storage.Suppose(*worker, -1, count);
    }
  }
  return storage;
}

bool CouldFit(const ClusterState& state, const pb::ResourceSpec& resources) {
  return RanksThatCouldFit(state, resources) >= resources.ranks_min();
}

std::vector<pb::Placement> MakeGang(const std::vector<WorkerShare>& shares,
                                    int64_t slots_per_rank) {
  RankMaker maker(slots_per_rank);
  for (const WorkerShare& share : shares) maker.Add(share);
  std::vector<pb::Placement> gang = maker.Take();
  Number(gang);
  return gang;
}

int64_t RanksThatCouldFit(const ClusterState& state, const pb::ResourceSpec& resources) {
  int64_t ranks = 0;
  if (resources.node_selector().empty()) {
    for (const auto& [slots, workers] : state.capacity()) {
      ranks += slots / resources.slots_per_rank() * workers;
    }
    return ranks;
  }
  for (const auto& [id, worker] : state.workers()) {
    if (!worker.Counts() || !Matches(worker, resources)) continue;
    ranks += static_cast<int64_t>(worker.slots.size()) / resources.slots_per_rank();
  }
  return ranks;
}

std::vector<pb::Placement> PlaceGang(const ClusterState& state, const Placer& placer,
                                     const Job& job) {
  const GangRequest request = RequestOf(job.resources());
  std::vector<pb::Placement> gang = PlaceRanks(state, placer, job.resources(), request);
  Number(gang);
  return gang;
}

std::vector<pb::Placement> PlaceAgain(const ClusterState& state, const Placer& placer,
                                      const Job& job) {
  GangRequest request = RequestOf(job.resources());
  std::vector<pb::Placement> kept_or_empty;
  int64_t kept = 0;
  for (const GangRank& rank : job.gang) {
    const bool held = StillHeld(state, job, rank);
    if (held && state.FindWorker(rank.where.worker_id())->state != pb::READY) return {};
    kept_or_empty.push_back(held ? rank.where : pb::Placement());
    kept += held ? 1 : 0;
  }
  std::vector<pb::Placement> newcomers;
  if (kept < request.ranks_max) {
    // At least one newcomer is asked for; whether the gang is large enough with fewer than asked is
    // decided below, so that a gang that could shrink still grows when it can.
    const int64_t missing = std::max<int64_t>(request.ranks_min - kept, 1);
    newcomers = PlaceRanks(state, placer, job.resources(),
                           {missing, request.ranks_max - kept, request.slots_per_rank});
  }
  if (kept + static_cast<int64_t>(newcomers.size()) < request.ranks_min) return {};
  std::vector<pb::Placement> gang = Merge(kept_or_empty, std::move(newcomers));
  Number(gang);
  return gang;
}

}  // namespace rm::scheduler
