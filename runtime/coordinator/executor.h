// The hands of the scheduler: what an action means for the workers.
//
//   StartGang         StartRank to the worker of each rank of which nothing was heard yet
//   StartGeneration   the peers' addresses, to each worker with a rank that has not joined
//   StopGang          StopRank to the worker of each rank that still lives
//   StopRank          to that worker
//   RunPreflight      a question to a worker (preflights.h)
//
// A command to a worker that is not attached is dropped: when it attaches, the scheduler gives the
// actions for its gangs again, and they are idempotent. When it does not, it is lost, and so is
// what ran on it. Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_EXECUTOR_H_
#define RM_RUNTIME_COORDINATOR_EXECUTOR_H_

#include <functional>

#include "proto/scheduler.pb.h"
#include "runtime/coordinator/attached_workers.h"
#include "runtime/coordinator/job_view.h"
#include "runtime/coordinator/preflights.h"
#include "scheduler/state/cluster_state.h"

namespace rm::coordinator {

// Decides nothing: it sends what an action says to whom the state says it concerns.
class Executor {
 public:
  // Takes the verdict of a preflight to the next step.
  using AddEvent = std::function<void(const ::ringmaster::v1::Event& event)>;

  // Borrows all but the last two; they outlive it.
  Executor(const scheduler::ClusterState& state, const AttachedWorkers& workers,
           Preflights& preflights, const Folders& folders, AddEvent add_event);

  // Carries out one action of a durable record. REQUIRES: `state` is at that record.
  void Act(const ::ringmaster::v1::Action& action);

 private:
  // One function an action, as in the table above.
  void Start(const ::ringmaster::v1::StartGang& gang);
  void StartTogether(const ::ringmaster::v1::StartGeneration& generation);
  void Stop(const ::ringmaster::v1::StopGang& gang);
  void Stop(const ::ringmaster::v1::StopRank& rank);
  void Run(const ::ringmaster::v1::RunPreflight& preflight);
  // The job, if the generation is its present one; nullptr otherwise: then there is nothing to do.
  [[nodiscard]] const scheduler::Job* Present(const std::string& job_id, int64_t generation) const;

  const scheduler::ClusterState& state_;
  const AttachedWorkers& workers_;
  Preflights& preflights_;
  const Folders folders_;
  const AddEvent add_event_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_EXECUTOR_H_
