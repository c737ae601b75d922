#include "scheduler/core/timers.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/units.h"
#include "scheduler/core/lifecycle.h"
#include "scheduler/core/loss.h"
#include "scheduler/core/reasons.h"
#include "scheduler/core/worker_events.h"
#include "scheduler/state/timer.h"

namespace rm::scheduler {
namespace {

// All of one instant together, for the reason that LoseWorkers gives.
void GiveUpAbsentWorkers(StepContext& step) {
  std::vector<const Worker*> late;
  for (const auto& [deadline, id] : step.state().worker_deadlines()) {
    if (deadline > step.now()) break;
    late.push_back(step.state().FindWorker(id));
  }
  if (late.empty()) return;
  const absl::Duration window = step.options().adopt_window;
  LoseWorkers(step, late, "AdoptWindowOver",
              absl::StrCat("did not come back within ", base::FormatDuration(window)));
}

// A running job may save what it has; a gang that comes up has nothing.
void StopForTimeLimit(StepContext& step, const Job& job) {
  StopOrder order;
  order.target = pb::FAILED;
  order.cause = TimeLimitReason(job);
  if (job.state == pb::RUNNING) {
    order.grace = absl::Seconds(job.scheduling().grace_period());
    order.checkpoint = true;
  }
  BecomeStopping(step, job, order);
}

// The final checkpoint is committed: whoever is left does nothing of use.
void StopLingering(StepContext& step, const Job& job) {
  StopOrder order;
  order.target = pb::SUCCEEDED;
  order.cause = LeaveOverReason(job, step.options().leave_window);
  BecomeStopping(step, job, order);
}

void Fire(StepContext& step, const Job& job, TimerKind kind) {
  switch (kind) {
    case TimerKind::kNone: return;
    case TimerKind::kQueueTimeout: return BecomeFailed(step, job, QueueTimeoutReason(job));
    case TimerKind::kTimeLimit: return StopForTimeLimit(step, job);
    case TimerKind::kLeftEarly:
      return LoseRank(step, job, LeftEarlyReason(step.state(), job, FirstCleanExit(job)));
    case TimerKind::kLeaveOver: return StopLingering(step, job);
    case TimerKind::kCauseUnknown: return SettleCause(step, job);
    case TimerKind::kRecoveryGrace: return Requeue(step, job, RecoveryGraceReason(job));
    case TimerKind::kStopDeadline:
      return KillRest(step, job, job.stop_target, GraceOverReason(job));
  }
}

}  // namespace

void FireTimers(StepContext& step) {
  GiveUpAbsentWorkers(step);
  const ClusterState::Deadlines& deadlines = step.state().job_deadlines();
  while (!deadlines.empty() && deadlines.begin()->first <= step.now()) {
    // A copy: the index changes when the timer fires.
    const ClusterState::Deadlines::value_type due = *deadlines.begin();
    const Job& job = *step.state().FindJob(due.second);
    const Timer timer = NextTimer(job, step.state().windows());
    Fire(step, job, timer.kind);
    // Each timer ends what it watches, or the loop would not end.
    RM_CHECK(deadlines.count(due) == 0, "the timer of job ", job.id(), " fired and is still due");
  }
}

}  // namespace rm::scheduler
