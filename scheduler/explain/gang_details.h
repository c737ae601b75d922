// Details about a job that has a gang: who is missing, who has not left, and until when.
//
// Pure functions over the state.
#ifndef RM_SCHEDULER_EXPLAIN_GANG_DETAILS_H_
#define RM_SCHEDULER_EXPLAIN_GANG_DETAILS_H_

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

namespace pb = ::ringmaster::v1;

// Adds the details of a job in STARTING, RUNNING, RECOVERING or STOPPING.
void ExplainGang(const ClusterState& state, const Job& job, absl::Time now, pb::Explanation& out);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_EXPLAIN_GANG_DETAILS_H_
