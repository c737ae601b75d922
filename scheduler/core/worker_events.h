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

// The worker is READY; where it does not see the storage, it gets no ranks. Ranks that it should
// run and does not are lost; ranks that it runs and should not are stopped; what it may have missed
// while it was away is told again.
void Take(StepContext& step, const pb::WorkerAttached& event);
// The worker is LOST, and all its ranks with it.
void Take(StepContext& step, const pb::WorkerLost& event);
// The worker is SUSPECT: it keeps its ranks.
void Take(StepContext& step, const pb::WorkerSilent& event);
// The worker is READY again.
void Take(StepContext& step, const pb::WorkerHeard& event);
// Workers that are not lost are ABSENT until they attach again; preflights are asked for again.
void Take(StepContext& step, const pb::CoordinatorStarted& event);
// Nothing: timers and placements follow every step.
void Take(StepContext& step, const pb::Tick& event);

// READY, SUSPECT, ABSENT → LOST of each of `workers`, and then the losses of their jobs. `code` and
// `what` say why ("was lost (stream broken)").
void LoseWorkers(StepContext& step, const std::vector<const Worker*>& workers,
                 absl::string_view code, absl::string_view what);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_WORKER_EVENTS_H_
