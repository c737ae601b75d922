// How much room there is for a gang, now and if something were otherwise.
//
// Pure functions over the state; they look at every worker (an explanation is asked for by a
// person).
#ifndef RM_SCHEDULER_EXPLAIN_ROOM_H_
#define RM_SCHEDULER_EXPLAIN_ROOM_H_

#include <cstdint>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "proto/api.pb.h"
#include "proto/job.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// Slots of the usable workers that match a node selector.
struct SlotCount {
  int64_t free = 0;
  int64_t total = 0;
  int64_t workers = 0;
};
SlotCount CountSlots(const ClusterState& state, const pb::ResourceSpec& resources);

// How many ranks of that kind fit now on usable workers if the jobs of `ended` held nothing.
int64_t RoomWithout(const ClusterState& state, const pb::ResourceSpec& resources,
                    const std::set<const Job*>& ended);

// Matching workers whose free slots nobody may use now, in order of attachment; and how many ranks
// would fit into those slots.
struct IdleWorkers {
  std::vector<const Worker*> workers;
  int64_t room = 0;
};
// SUSPECT; ABSENT; READY but without the storage.
enum class Idle { kSilent, kAbsent, kApart };
IdleWorkers FindIdle(const ClusterState& state, const pb::ResourceSpec& resources, Idle idle);

// Who holds slots of matching usable workers, one entry for each job and worker: the job with most
// slots first, then in order of submission; its workers in order of attachment.
std::vector<pb::Holder> Holders(const ClusterState& state, const pb::ResourceSpec& resources);

// The fewest jobs, taken from those with most slots first, whose end would make room for `ranks`
// ranks; a single job that is enough alone is preferred to several. Empty: none, or no end would
// do.
std::vector<const Job*> EndsThatMakeRoom(const ClusterState& state,
                                         const pb::ResourceSpec& resources, int64_t ranks);

// Whether a gang as `spec` wants it could run if every slot of the attached, the silent and the
// absent workers were free. ResourceExhausted: no, with the numbers ("3 ranks × 1 slot = 3 slots,
// the cluster has 2 (w1: 1, w2: 1)"), and the workers that do not count because they do not see the
// storage.
absl::Status CheckFeasible(const ClusterState& state, const pb::JobSpec& spec);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_EXPLAIN_ROOM_H_
