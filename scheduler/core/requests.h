// What people ask for: submit, cancel, pause, resume; and the verdict of the preflight.
//
// One function an event. REQUIRES of each: Refuse() has let the event pass, and it is the present
// one of `step`.
#ifndef RM_SCHEDULER_CORE_REQUESTS_H_
#define RM_SCHEDULER_CORE_REQUESTS_H_

#include "proto/scheduler.pb.h"
#include "scheduler/core/step_context.h"

namespace rm::scheduler {

void Take(StepContext& step, const pb::SubmitJob& event);
void Take(StepContext& step, const pb::CancelJob& event);
void Take(StepContext& step, const pb::PauseJob& event);
void Take(StepContext& step, const pb::ResumeJob& event);
void Take(StepContext& step, const pb::PreflightVerdict& event);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_REQUESTS_H_
