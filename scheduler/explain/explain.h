// Why a job is where it is: what it waits for, the numbers, who holds what it needs, and what would
// start it now.
// For example, of a job that is first in the queue:
//
//   NotEnoughSlots: job b needs 2 ranks of 1 slot each; 1 of 4 slots are free, with room for 1 rank
//   - The end of job a would make room for b.
//   - A worker with 1 free slot would make room, too.
//   held: 3 on w1 by a
//
// Pure: reads the state and changes nothing. The order of the queue and the fit of a gang come from
// the scheduler's own code, so an explanation and a decision cannot disagree.
#ifndef RM_SCHEDULER_EXPLAIN_EXPLAIN_H_
#define RM_SCHEDULER_EXPLAIN_EXPLAIN_H_

#include <string>

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "scheduler/core/options.h"
#include "scheduler/explain/room.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

// Explains the job `job_id` at the time `now`.
//
// Reason: for a job in the queue what it waits for now:
//   Preflight       a worker has not checked it yet
//   NoWorkers       no worker is attached
//   NeverFits       not even on the empty cluster
//   Behind          another job is tried first, and nothing overtakes it
//   NotEnoughSlots  it is first, and its gang does not fit into the free slots
//   WorkerSilent, WorkerAbsent, StorageNotShared
//                   the same, and it would fit with the free slots of workers that nobody may use
//                   now because of that
// For any other job the reason of its last transition. Details: one sentence each. Holders: who
// holds slots that it could use, the largest job first. An unknown job has the reason UnknownJob.
pb::Explanation Explain(const ClusterState& state, const std::string& job_id, absl::Time now,
                        const SchedulerOptions& options);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_EXPLAIN_EXPLAIN_H_
