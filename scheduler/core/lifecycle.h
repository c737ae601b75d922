// The arrows of a job's life, one function each, with the actions that belong to an arrow.
//
// Each function CHECKs (in StepContext::Move) that its arrow is legal from where the job stands:
// whoever calls it has decided so. Why an arrow is drawn is decided in requests, rank_events,
// worker_events, loss, timers and pass.
#ifndef RM_SCHEDULER_CORE_LIFECYCLE_H_
#define RM_SCHEDULER_CORE_LIFECYCLE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/scheduler.pb.h"
#include "scheduler/core/step_context.h"

namespace rm::scheduler {

// How a gang is stopped.
struct StopOrder {
  pb::JobState target = pb::CANCELLED;  // what the job becomes when all ranks have left
  pb::Reason cause;
  absl::Duration grace = absl::ZeroDuration();  // zero: kill at once
  bool checkpoint = false;                      // the ranks write one before they leave
};

// (new) → QUEUED. Asks for a preflight when the submission says so.
void Submit(StepContext& step, const pb::SubmitJob& submission);
// QUEUED → QUEUED.
void PassPreflight(StepContext& step, const Job& job);
// QUEUED → STARTING with StartGang.
void StartGangOf(StepContext& step, const Job& job, const std::vector<pb::Placement>& gang);
// STARTING → STARTING, RECOVERING → RECOVERING with StartGang of generation g+1.
void StartNextGeneration(StepContext& step, const Job& job, const std::vector<pb::Placement>& gang);
// STARTING, RECOVERING → RUNNING.
void BecomeRunning(StepContext& step, const Job& job);
// STARTING → STARTING, RUNNING → RECOVERING, RECOVERING → RECOVERING: ranks leave, the cause is
// awaited.
void AwaitCause(StepContext& step, const Job& job, const pb::Reason& reason);
// The same arrows: the cause is known, a restart is used up, and what is left of the generation is
// killed.
void BreakGang(StepContext& step, const Job& job, const pb::Reason& cause);
// RECOVERING → RECOVERING: keeps the slots of the living workers and waits for others.
void WaitForSlots(StepContext& step, const Job& job);
// STARTING, RECOVERING, PAUSED → QUEUED; and on to FAILED when its time_limit is used up.
void Requeue(StepContext& step, const Job& job, const pb::Reason& reason);
// QUEUED → PAUSED.
void BecomePaused(StepContext& step, const Job& job);
// QUEUED → FAILED.
void BecomeFailed(StepContext& step, const Job& job, const pb::Reason& reason);
// QUEUED, PAUSED → CANCELLED.
void BecomeCancelled(StepContext& step, const Job& job, const pb::Reason& reason);
// RUNNING → SUCCEEDED. REQUIRES: the training is done and no rank lives.
void BecomeSucceeded(StepContext& step, const Job& job);
// STARTING, RUNNING, RECOVERING → STOPPING with StopGang, and on to the target when no rank lives.
void BecomeStopping(StepContext& step, const Job& job, const StopOrder& order);
// STOPPING → STOPPING: another target.
void ChangeTarget(StepContext& step, const Job& job, pb::JobState target, const pb::Reason& reason);
// STOPPING → STOPPING: what is left is killed now, and the target may change.
void KillRest(StepContext& step, const Job& job, pb::JobState target, const pb::Reason& reason);
// STOPPING → its target. REQUIRES: no rank lives.
void FinishStopping(StepContext& step, const Job& job);

// From any state to the same: said, and nothing changes.
void Notice(StepContext& step, const Job& job, const pb::Reason& notice);

// One rank is stopped, whatever else is decided: it hangs (`dump_stack`: its stacks are written
// into its log before it is killed), or is not the one it should be.
void TellStopRank(StepContext& step, const std::string& worker_id, const pb::RankRef& rank,
                  const pb::Reason& reason, bool dump_stack);
// Actions that may be given again, after a worker re-attached.
void TellStartGang(StepContext& step, const Job& job);
void TellStartGeneration(StepContext& step, const Job& job);
void TellStopGang(StepContext& step, const Job& job, absl::Duration grace, bool checkpoint);
void TellRunPreflight(StepContext& step, const Job& job);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_LIFECYCLE_H_
