// From a job's resources to the slots of each rank.
//
// Pure functions over the state: they read, and the core takes what they propose. Not thread-safe
// against a change of the state.
#ifndef RM_SCHEDULER_PLACEMENT_GANG_H_
#define RM_SCHEDULER_PLACEMENT_GANG_H_

#include <cstdint>
#include <vector>

#include "proto/job.pb.h"
#include "proto/scheduler.pb.h"
#include "scheduler/placement/placement.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

// The size of the gang that `resources` asks for.
GangRequest RequestOf(const pb::ResourceSpec& resources);

// Whether `worker` has every label of the node selector.
bool Matches(const Worker& worker, const pb::ResourceSpec& resources);

// The free slots that a job may use: all of them, or those of the matching workers, which are then
// indexed in `storage`. The result lives as long as both.
const FreeSlots& EligibleSlots(const ClusterState& state, const pb::ResourceSpec& resources,
                               FreeSlots& storage);

// Those of `free` that a job may use; the same for an index that is not the state's.
const FreeSlots& EligibleSlots(const FreeSlots& free, const pb::ResourceSpec& resources,
                               FreeSlots& storage);

// How many ranks of that kind would fit if every slot of the workers that Counts() names were free.
int64_t RanksThatCouldFit(const ClusterState& state, const pb::ResourceSpec& resources);

// Whether a gang of that kind would fit if every slot were free: otherwise it waits for workers and
// not for slots.
bool CouldFit(const ClusterState& state, const pb::ResourceSpec& resources);

// The ranks of a gang that takes these shares, on the lowest free slots of each worker, numbered.
// REQUIRES: the shares are free in the state.
std::vector<pb::Placement> MakeGang(const std::vector<WorkerShare>& shares, int64_t slots_per_rank);

// Slots for a whole new gang of `job`; empty when it does not fit now.
std::vector<pb::Placement> PlaceGang(const ClusterState& state, const Placer& placer,
                                     const Job& job);

// Slots for the next generation of `job`, which still holds slots of the last one: ranks whose
// slots are held stay, a lost rank is replaced by one on free slots; without them the gang shrinks,
// never below ranks_min. Empty: not now, also while a rank's slots are on an ABSENT or a SUSPECT
// worker. Slots on a worker that does not see the storage count as lost.
//
// For example, ranks 0, 1, 2 on w1, w2, w3 with one slot each, of a gang of 2 to 3:
//   rank 1 died, w2 lives       w1 w2 w3     all slots are still held
//   w2 is lost, w4 has a slot   w1 w4 w3     the newcomer is rank 1
//   w2 is lost, none is free    w1 w3        w3 now has rank 1
//   w2 and w3 are lost          (empty)      below ranks_min
std::vector<pb::Placement> PlaceAgain(const ClusterState& state, const Placer& placer,
                                      const Job& job);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_PLACEMENT_GANG_H_
