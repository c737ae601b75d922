// What a policy sees of a placement pass, and what it may answer.
#ifndef RM_SCHEDULER_POLICY_PASS_VIEW_H_
#define RM_SCHEDULER_POLICY_PASS_VIEW_H_

#include <cstdint>
#include <set>
#include <vector>

#include "scheduler/placement/placement.h"
#include "scheduler/placement/request.h"
#include "scheduler/state/cluster_state.h"
#include "scheduler/state/job.h"

namespace rm::scheduler {

// The cluster read-only, and how far the pass is. The state outlives it.
struct PassView {
  const ClusterState& state;
  const Job* last = nullptr;  // tried last in this pass; nullptr: none yet
  const Job* blocked =
      nullptr;  // the first job of this pass for which there is no place now; nullptr: none yet
  std::set<int64_t> no_room = {};   // shapes (Queue::ShapeIdOf) without a place in this pass
  const Placer* placer = nullptr;   // for jobs that name none; set by the core
};

// One gang that starts now.
struct Start {
  const Job* job = nullptr;
  std::vector<WorkerShare> shares;  // free now, and of no other start of the plan
};

// What a pass does, whole.
struct PassPlan {
  // In the order in which they start.
  std::vector<Start> starts;
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_PASS_VIEW_H_
