#include "scheduler/core/lifecycle.h"

#include <utility>

#include "base/check.h"
#include "scheduler/core/reasons.h"
#include "scheduler/state/timer.h"

namespace rm::scheduler {
namespace {

// Every new generation is made here: its number, its slots and its StartGang cannot be apart.
void Place(StepContext& step, const Job& job, pb::JobState to, const pb::Reason& reason,
           const std::vector<pb::Placement>& gang) {
  pb::JobTransition transition = step.From(job, to, reason);
  transition.set_generation(job.generation + 1);
  transition.set_gang_phase(pb::COMING_UP);
  transition.mutable_placement()->Assign(gang.begin(), gang.end());
  step.Move(std::move(transition));
  TellStartGang(step, job);
}

// A job that never ran does not recover: it has nothing to recover, and while it comes up no time
// of others is wasted by going back to the queue.
pb::JobState AfterLoss(const Job& job) {
  return job.state == pb::STARTING ? pb::STARTING : pb::RECOVERING;
}

// A place in the queue is of no use to it: with a gang it would be stopped at once.
void FailWhenTimeIsUp(StepContext& step, const Job& job) {
  if (job.state == pb::QUEUED && TimeIsUp(job)) BecomeFailed(step, job, TimeLimitReason(job));
}

// STOPPING → STOPPING with the deadline it has, or 0 when what is left is killed.
void Redirect(StepContext& step, const Job& job, pb::JobState target, const pb::Reason& reason,
              absl::Time deadline) {
  pb::JobTransition transition = step.From(job, pb::STOPPING, reason);
  transition.set_stop_target(target);
  if (deadline != absl::InfiniteFuture()) transition.set_deadline_ns(absl::ToUnixNanos(deadline));
  step.Move(std::move(transition));
}

}  // namespace

void Submit(StepContext& step, const pb::SubmitJob& submission) {
  pb::JobTransition transition;
  transition.set_job_id(submission.job_id());
  transition.set_to(pb::QUEUED);
  *transition.mutable_reason() = SubmittedReason(submission);
  *transition.mutable_submission() = submission;
  step.Move(std::move(transition));
  if (submission.preflight_pending()) {
    TellRunPreflight(step, *step.state().FindJob(submission.job_id()));
  }
}

void PassPreflight(StepContext& step, const Job& job) {
  step.Move(step.From(job, pb::QUEUED, PreflightPassedReason(job)));
}

void StartGangOf(StepContext& step, const Job& job, const std::vector<pb::Placement>& gang) {
  Place(step, job, pb::STARTING, PlacedReason(job, gang), gang);
}

void StartNextGeneration(StepContext& step, const Job& job,
                         const std::vector<pb::Placement>& gang) {
  Place(step, job, job.state, ReplacedReason(job, gang), gang);
}

void BecomeRunning(StepContext& step, const Job& job) {
  step.Move(step.From(job, pb::RUNNING, JoinedReason(job)));
}

void AwaitCause(StepContext& step, const Job& job, const pb::Reason& reason) {
  pb::JobTransition transition = step.From(job, AfterLoss(job), reason);
  transition.set_gang_phase(pb::CAUSE_UNKNOWN);
  step.Move(std::move(transition));
}

// The ranks that are left hold nothing that the next generation could use (it loads the last
// checkpoint), so they get no grace: the sooner their slots are proven free, the sooner it starts.
void BreakGang(StepContext& step, const Job& job, const pb::Reason& cause) {
  pb::JobTransition transition = step.From(job, AfterLoss(job), cause);
  transition.set_gang_phase(pb::LEAVING);
  transition.set_restarts(job.restarts + 1);
  step.Move(std::move(transition));
  if (job.living_ranks > 0) {
    TellStopGang(step, job, absl::ZeroDuration(), false);
  } else {
    step.AddEmptied(job);
  }
}

void WaitForSlots(StepContext& step, const Job& job) {
  pb::JobTransition transition =
      step.From(job, pb::RECOVERING, WaitingForSlotsReason(step.state(), job));
  transition.set_gang_phase(pb::WAITING_FOR_SLOTS);
  step.Move(std::move(transition));
}

void Requeue(StepContext& step, const Job& job, const pb::Reason& reason) {
  step.Move(step.From(job, pb::QUEUED, reason));
  FailWhenTimeIsUp(step, job);
}

void BecomePaused(StepContext& step, const Job& job) {
  step.Move(step.From(job, pb::PAUSED, PausedReason(job)));
}

void BecomeFailed(StepContext& step, const Job& job, const pb::Reason& reason) {
  step.Move(step.From(job, pb::FAILED, reason));
}

void BecomeCancelled(StepContext& step, const Job& job, const pb::Reason& reason) {
  step.Move(step.From(job, pb::CANCELLED, WithCheckpoint(job, reason)));
}

void BecomeSucceeded(StepContext& step, const Job& job) {
  RM_CHECK(job.training_done && job.living_ranks == 0, job.id());
  step.Move(step.From(job, pb::SUCCEEDED, DoneReason(job)));
}

// The deadline is recorded and not computed again, so that a fold has it whatever the options are
// then. A gang without a living rank takes both arrows in one step.
void BecomeStopping(StepContext& step, const Job& job, const StopOrder& order) {
  pb::JobTransition transition = step.From(job, pb::STOPPING, order.cause);
  transition.set_stop_target(order.target);
  const bool graceful = order.grace > absl::ZeroDuration() && job.living_ranks > 0;
  if (graceful) transition.set_deadline_ns(absl::ToUnixNanos(step.now() + order.grace));
  step.Move(std::move(transition));
  if (job.living_ranks == 0) return FinishStopping(step, job);
  TellStopGang(step, job, order.grace, order.checkpoint && graceful);
}

void ChangeTarget(StepContext& step, const Job& job, pb::JobState target,
                  const pb::Reason& reason) {
  Redirect(step, job, target, reason, job.stop_deadline);
}

// Deadline 0 in the record: the kill has been given, nothing is waited for but the proof.
void KillRest(StepContext& step, const Job& job, pb::JobState target, const pb::Reason& reason) {
  Redirect(step, job, target, reason, absl::InfiniteFuture());
  TellStopGang(step, job, absl::ZeroDuration(), false);
}

// The end says the cause of the stop and not its last stage, and where one could go on from.
void FinishStopping(StepContext& step, const Job& job) {
  RM_CHECK(job.living_ranks == 0, job.id());
  const pb::Reason reason =
      job.stop_target == pb::SUCCEEDED ? DoneReason(job) : WithCheckpoint(job, job.stop_cause);
  step.Move(step.From(job, job.stop_target, reason));
  FailWhenTimeIsUp(step, job);
}

// What is said of its gang is what is so of it already.
void Notice(StepContext& step, const Job& job, const pb::Reason& notice) {
  pb::JobTransition transition = step.From(job, job.state, notice);
  transition.set_notice(true);
  transition.set_gang_phase(job.gang_phase);
  transition.set_stop_target(job.stop_target);
  step.Move(std::move(transition));
}

void TellStopRank(StepContext& step, const std::string& worker_id, const pb::RankRef& rank,
                  const pb::Reason& reason, bool dump_stack) {
  pb::StopRank& stop = *step.Act().mutable_stop_rank();
  stop.set_worker_id(worker_id);
  *stop.mutable_rank() = rank;
  *stop.mutable_reason() = reason;
  stop.set_dump_stack(dump_stack);
}

void TellStartGang(StepContext& step, const Job& job) {
  pb::StartGang& start = *step.Act().mutable_start_gang();
  start.set_job_id(job.id());
  start.set_generation(job.generation);
  for (const GangRank& rank : job.gang) *start.add_placement() = rank.where;
}

// Addresses by rank: every one of them has listened.
void TellStartGeneration(StepContext& step, const Job& job) {
  pb::StartGeneration& start = *step.Act().mutable_start_generation();
  start.set_job_id(job.id());
  start.set_generation(job.generation);
  for (const GangRank& rank : job.gang) start.add_peers(rank.address);
}

void TellStopGang(StepContext& step, const Job& job, absl::Duration grace, bool checkpoint) {
  pb::StopGang& stop = *step.Act().mutable_stop_gang();
  stop.set_job_id(job.id());
  stop.set_generation(job.generation);
  stop.set_grace_seconds(absl::ToDoubleSeconds(grace));
  stop.set_checkpoint(checkpoint);
}

void TellRunPreflight(StepContext& step, const Job& job) {
  step.Act().mutable_run_preflight()->set_job_id(job.id());
}

}  // namespace rm::scheduler
