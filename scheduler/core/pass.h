// The placement pass at the end of a step: who gets free slots.
//
// First the jobs that were broken: they hold slots already and are few. Then the queue, in the
// order of the policy. A job that could not fit if every slot were free is stepped over and blocks
// nobody.
#ifndef RM_SCHEDULER_CORE_PASS_H_
#define RM_SCHEDULER_CORE_PASS_H_

#include <cstdint>
#include <set>

#include "scheduler/core/step_context.h"
#include "scheduler/placement/placement.h"
#include "scheduler/policy/policy.h"

namespace rm::scheduler {

// Which queued jobs could never fit the workers there are; asked again when the workers change. A
// cache over the state, not a part of it. Not thread-safe.
class NeverFits {
 public:
  // Whether `job` is known not to fit.
  bool Contains(const ClusterState& state, const Job& job);
  // Looks whether `job`, for which there is no place now, could ever fit, and remembers it.
  bool Learn(const ClusterState& state, const Job& job);

 private:
  void Refresh(const ClusterState& state);
  void Clear();

  int64_t capacity_version_ = -1;
  std::set<int64_t> sequences_;      // of jobs that never fit
  std::set<int64_t> fit_sequences_;  // of jobs that would fit an empty cluster
};

// Places what there is room for: next generations of the step's emptied gangs and of waiting ones,
// then the queue.
// Returns when a pass may decide otherwise without an event; InfiniteFuture: never.
absl::Time PlaceJobs(StepContext& step, const Policy& policy, NeverFits& never_fits);

// The placement that `job` asks for, else that of the options.
const Placer& PlacerFor(const Job& job, const SchedulerOptions& options);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_PASS_H_
