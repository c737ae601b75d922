// What a policy sees of a placement pass, and what it may answer.
#ifndef RM_SCHEDULER_POLICY_PASS_VIEW_H_
#define RM_SCHEDULER_POLICY_PASS_VIEW_H_

#include <cstdint>
#include <set>
#include <vector>

#include "absl/time/time.h"
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

// One gang that makes room: it is stopped with a checkpoint and goes back to its place in the queue.
struct Preemption {
  const Job* job = nullptr;
  const Job* winner = nullptr;  // for whom
  bool moves = false;           // it is to start again on other workers
};

// What a pass does, whole.
struct PassPlan {
  // Before the starts. What they leave is free only when their ranks are proven gone; the pass
  // after that finds the same plan again, and starts whom they left for.
  std::vector<Preemption> preemptions;
  // In the order in which they start.
  std::vector<Start> starts;
  // When a pass may decide otherwise although nothing has happened; InfiniteFuture: never.
  absl::Time next_pass = absl::InfiniteFuture();
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_PASS_VIEW_H_
