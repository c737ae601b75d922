// What a policy sees of a placement pass.
#ifndef RM_SCHEDULER_POLICY_PASS_VIEW_H_
#define RM_SCHEDULER_POLICY_PASS_VIEW_H_

#include "scheduler/state/cluster_state.h"
#include "scheduler/state/job.h"

namespace rm::scheduler {

// The cluster read-only, and how far the pass is. The state outlives it.
struct PassView {
  const ClusterState& state;
  const Job* last = nullptr;  // tried last in this pass; nullptr: none yet
  const Job* blocked =
      nullptr;  // the first job of this pass for which there is no place now; nullptr: none yet
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_PASS_VIEW_H_
