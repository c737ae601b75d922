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
    const ClusterState::Deadlines::value_type due = *deadlines.begin();
    const Job& job = *step.state().FindJob(due.second);
    const Timer timer = NextTimer(job, step.state().windows());
    Fire(step, job, timer.kind);
    RM_CHECK(deadlines.count(due) == 0, "the timer of job ", job.id(), " fired and is still due");
  }
}

}  // namespace rm::scheduler
