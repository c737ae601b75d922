// Workers that attach, come back and are lost, and the start of the coordinator.
//
// One function an event. REQUIRES of each: Refuse() has let the event pass, and it is the present
// one of `step`.
#ifndef RM_SCHEDULER_CORE_WORKER_EVENTS_H_
#define RM_SCHEDULER_CORE_WORKER_EVENTS_H_

#include <vector>

#include "proto/scheduler.pb.h"
#include "scheduler/core/step_context.h"

namespace rm::scheduler {

void Take(StepContext& step, const pb::WorkerAttached& event);
void Take(StepContext& step, const pb::WorkerLost& event);
void Take(StepContext& step, const pb::CoordinatorStarted& event);
void Take(StepContext& step, const pb::Tick& event);

// READY, ABSENT → LOST of each of `workers`, and then the losses of their jobs. `code` and `what`
// say why ("was lost (stream broken)").
void LoseWorkers(StepContext& step, const std::vector<const Worker*>& workers,
                 absl::string_view code, absl::string_view what);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_WORKER_EVENTS_H_
