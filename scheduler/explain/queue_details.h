// Details about a job that waits in the queue.
//
// Pure functions over the state.
#ifndef RM_SCHEDULER_EXPLAIN_QUEUE_DETAILS_H_
#define RM_SCHEDULER_EXPLAIN_QUEUE_DETAILS_H_

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// Sets the reason, details and holders of a job in QUEUED.
void ExplainQueued(const ClusterState& state, const Job& job, absl::Time now, pb::Explanation& out);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_EXPLAIN_QUEUE_DETAILS_H_
