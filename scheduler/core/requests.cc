#include "scheduler/core/requests.h"

#include "scheduler/core/lifecycle.h"
#include "scheduler/core/reasons.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// A gang that has nothing to save is killed at once; one that runs gets its grace and writes a
// checkpoint.
StopOrder OrderFor(const Job& job, pb::JobState target, const pb::Reason& cause) {
  StopOrder order;
  // What is done is done: the final checkpoint is committed, so the job has succeeded whatever is
  // asked now.
  order.target = job.training_done ? pb::SUCCEEDED : target;
  order.cause = cause;
  if (job.state == pb::RUNNING) {
    order.grace = absl::Seconds(job.scheduling().grace_period());
    order.checkpoint = !job.training_done;
  }
  return order;
}

// STOPPING for pause or for a new place: it ends instead. Otherwise only `kill` comes here: it
// hurries.
void CancelStopping(StepContext& step, const Job& job, const pb::CancelJob& event) {
  const bool goes_on = job.stop_target == pb::PAUSED || job.stop_target == pb::QUEUED;
  const pb::JobState target = goes_on ? pb::CANCELLED : job.stop_target;
  const pb::Reason reason = CancelledReason(job, event.kill());
  if (event.kill() && job.stop_deadline != absl::InfiniteFuture()) {
    KillRest(step, job, target, reason);
  } else {
    ChangeTarget(step, job, target, reason);
  }
}

}  // namespace

void Take(StepContext& step, const pb::SubmitJob& event) {
  step.Accept();
  Submit(step, event);
}

void Take(StepContext& step, const pb::CancelJob& event) {
  step.Accept();
  const Job& job = *step.state().FindJob(event.job_id());
  if (job.state == pb::STOPPING) return CancelStopping(step, job, event);
  const pb::Reason reason = CancelledReason(job, event.kill());
  if (!CountsTime(job.state)) return BecomeCancelled(step, job, reason);
  StopOrder order = OrderFor(job, pb::CANCELLED, reason);
  if (event.kill()) order.grace = absl::ZeroDuration();
  BecomeStopping(step, job, order);
}

void Take(StepContext& step, const pb::PauseJob& event) {
  step.Accept();
  const Job& job = *step.state().FindJob(event.job_id());
  if (job.state == pb::QUEUED) return BecomePaused(step, job);
  if (job.state == pb::STOPPING) return ChangeTarget(step, job, pb::PAUSED, PausedReason(job));
  BecomeStopping(step, job, OrderFor(job, pb::PAUSED, PausedReason(job)));
}

void Take(StepContext& step, const pb::ResumeJob& event) {
  step.Accept();
  const Job& job = *step.state().FindJob(event.job_id());
  if (job.state == pb::STOPPING) return ChangeTarget(step, job, pb::QUEUED, ResumedReason(job));
  Requeue(step, job, WithCheckpoint(job, ResumedReason(job)));
  if (job.state == pb::QUEUED && !job.preflight_errors.empty())
    BecomeFailed(step, job, PreflightFailedReason(job));
}

void Take(StepContext& step, const pb::PreflightVerdict& event) {
  step.Accept();
  const Job& job = *step.state().FindJob(event.job_id());
  // A paused job has no arrow to FAILED.
  if (job.state != pb::QUEUED) return;  // paused: the verdict counts when it is resumed
  if (job.preflight_errors.empty()) return PassPreflight(step, job);
  BecomeFailed(step, job, PreflightFailedReason(job));
}

}  // namespace rm::scheduler
