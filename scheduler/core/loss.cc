#include "scheduler/core/loss.h"

#include "scheduler/core/lifecycle.h"
#include "scheduler/core/reasons.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// The training is done, or the job is stopping or has left its gang: a rank may go as it likes.
// True: nothing more is to be decided.
bool LeavesFreely(StepContext& step, const Job& job) {
  if (!MayHoldSlots(job.state)) return true;
  if (job.state == pb::STOPPING) {
    if (job.living_ranks == 0) FinishStopping(step, job);
    return true;
  }
  if (!job.training_done) return false;
  if (job.living_ranks == 0) BecomeSucceeded(step, job);
  return true;
}

// Of this generation: the job keeps what it knows of its last failure for the next one.
bool FailedAgain(const Job& job) {
  return job.failed_again && job.failed_generation == job.generation;
}

// A loss whose cause is known, of a gang that was together or awaited the cause.
void Recover(StepContext& step, const Job& job, const pb::Reason& cause) {
  StopOrder failure;
  failure.target = pb::FAILED;
  if (FailedAgain(job)) {
    failure.cause = FailedAgainReason(job, cause);
  } else if (job.restarts >= job.scheduling().max_restarts()) {
    failure.cause = RestartsUsedUpReason(job, cause);
  } else {
    return BreakGang(step, job, cause);
  }
  BecomeStopping(step, job, failure);
}

// A gang that is leaving, or has left, loses one more rank.
// The last one to leave makes room for the next generation, in the pass of this step.
void FollowLeaving(StepContext& step, const Job& job) {
  if (job.gang_phase == pb::LEAVING && job.living_ranks == 0) step.AddEmptied(job);
}

}  // namespace

void LoseRank(StepContext& step, const Job& job, const pb::Reason& cause) {
  // Asked to pause or to be placed again, a job that fails in the same way once more would only do
  // it again when it comes back: that is the moment to end it.
  const bool would_go_on = job.stop_target == pb::PAUSED || job.stop_target == pb::QUEUED;
  if (would_go_on && FailedAgain(job)) {
    ChangeTarget(step, job, pb::FAILED, FailedAgainReason(job, cause));
  }
  if (LeavesFreely(step, job)) return;
  if (job.Together() || job.gang_phase == pb::CAUSE_UNKNOWN) return Recover(step, job, cause);
  FollowLeaving(step, job);
}

void LoseByPeer(StepContext& step, const Job& job, const pb::Reason& reason) {
  if (LeavesFreely(step, job)) return;
  // Only the first one that notices begins to wait; the others have nothing to add.
  if (job.Together()) AwaitCause(step, job, reason);
  LeaveRank(step, job);
}

void LeaveRank(StepContext& step, const Job& job) {
  if (LeavesFreely(step, job)) return;
  if (job.living_ranks > 0) return;
  if (job.Together() || job.gang_phase == pb::CAUSE_UNKNOWN) return SettleCause(step, job);
  FollowLeaving(step, job);
}

// A rank that left with exit code 0 in the middle is what its peers noticed; without such a one all
// that is known is that a link was lost.
void SettleCause(StepContext& step, const Job& job) {
  const int32_t early = FirstCleanExit(job);
  Recover(step, job, early < 0 ? job.reason : LeftEarlyReason(step.state(), job, early));
}

int32_t FirstCleanExit(const Job& job) {
  for (const GangRank& rank : job.gang) {
    if (rank.gone() && rank.exited && rank.exit_code == 0 && rank.signal == 0) {
      return rank.where.rank();
    }
  }
  return -1;
}

}  // namespace rm::scheduler
