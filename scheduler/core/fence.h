// What is refused must not live on where it can do harm: a rank of an old generation that still
// reports would train, write checkpoints and hold slots that were given to others.
#ifndef RM_SCHEDULER_CORE_FENCE_H_
#define RM_SCHEDULER_CORE_FENCE_H_

#include "proto/scheduler.pb.h"
#include "scheduler/core/step_context.h"

namespace rm::scheduler {

// The event, which was refused with `refused`, came from a rank: where that rank has no right to
// live (its generation has passed, its job is unknown or has ended, it is not of its gang, or
// counts as gone), the worker that reported it is told to stop it. Nothing when it is not known who
// reported it, or when the event itself says that the rank is gone.
//
// A report may be late, and its rank gone for long: the worker then answers that it has no such
// rank, which is refused in turn and ends it.
void StopRefusedRank(StepContext& step, const pb::Event& event, const pb::Reason& refused);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_FENCE_H_
