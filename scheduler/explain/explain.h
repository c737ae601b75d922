// Why a job is where it is: what it waits for, the numbers, who holds what it needs, and what would
// start it now.
//
// Pure: reads the state, changes nothing, and uses the same placement code as the scheduler, so an
// explanation and a decision cannot disagree.
#ifndef RM_SCHEDULER_EXPLAIN_EXPLAIN_H_
#define RM_SCHEDULER_EXPLAIN_EXPLAIN_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "scheduler/core/options.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// Explains the job `job_id` at the time `now`. Reason: for a job that waits in the queue, what it
// waits for now (for example NotEnoughSlots, Behind, Preflight, NoWorkers, NeverFits); else the
// reason of its last transition. Details: one sentence each. Holders: who holds slots that it could
// use, the largest first. An unknown job gives the code UnknownJob.
pb::Explanation Explain(const ClusterState& state, const std::string& job_id, absl::Time now,
                        const SchedulerOptions& options);

// Whether a gang as `spec` wants it could run if every slot of the attached and the absent workers
// were free. ResourceExhausted: no, with the numbers ("3 ranks × 1 slots = 3 slots, the cluster has
// 2 (w1: 1, w2: 1)").
absl::Status CheckFeasible(const ClusterState& state, const pb::JobSpec& spec);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_EXPLAIN_EXPLAIN_H_
