// Jobs that wait only because of workers that are there and get nothing: silent ones, absent ones,
// and such as do not see the storage.
//
// Pure functions over the state.
#ifndef RM_SCHEDULER_EXPLAIN_IDLE_H_
#define RM_SCHEDULER_EXPLAIN_IDLE_H_

#include <string>

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// Why `job`, which has room for `room` ranks now and needs more, could start but for such workers:
// WorkerSilent, WorkerAbsent or StorageNotShared, with their free slots in the sentence, which goes
// on after `shortage`. Silent ones are the first that it is blamed on, since they come back
// soonest. Without a code: it could not start with them either.
pb::Reason BlameIdleWorkers(const ClusterState& state, const Job& job, int64_t room,
                            const std::string& shortage);

// One detail for each such worker that matches `job`: how many slots, since when, and what will
// become of it.
void AddIdleWorkers(const ClusterState& state, const Job& job, absl::Time now,
                    pb::Explanation& out);

// "is silent since 3.2 s and gets nothing new until it is heard", "is absent and given up in 29 s",
// "gets no ranks: it does not see the storage (…)"; empty for a worker that is usable or lost.
std::string IdleText(const ClusterState& state, const Worker& worker, absl::Time now);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_EXPLAIN_IDLE_H_
