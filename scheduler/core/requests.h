// What people ask for: submit, cancel, pause, resume; and the verdict of the preflight.
//
// One function an event. REQUIRES of each: Refuse() has let the event pass, and it is the present
// one of `step`.
#ifndef RM_SCHEDULER_CORE_REQUESTS_H_
#define RM_SCHEDULER_CORE_REQUESTS_H_

#include "proto/scheduler.pb.h"
#include "scheduler/core/step_context.h"

namespace rm::scheduler {

// Into the queue, behind a preflight if one is asked for.
void Take(StepContext& step, const pb::SubmitJob& event);
// Ended at once when it holds no gang; else it stops: with its grace and a checkpoint when it runs,
// at once when it is killed or has nothing to save.
void Take(StepContext& step, const pb::CancelJob& event);
// The same, and it may be resumed.
void Take(StepContext& step, const pb::PauseJob& event);
// Back to the queue, where it stood; at once, or when its ranks have left.
void Take(StepContext& step, const pb::ResumeJob& event);
// Free to be placed, or failed. Of a paused job it counts when the job is resumed.
void Take(StepContext& step, const pb::PreflightVerdict& event);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_REQUESTS_H_
