// What ranks report, and what their workers say about them.
//
// One function an event. REQUIRES of each: Refuse() has let the event pass, and it is the present
// one of `step`.
#ifndef RM_SCHEDULER_CORE_RANK_EVENTS_H_
#define RM_SCHEDULER_CORE_RANK_EVENTS_H_

#include "proto/scheduler.pb.h"
#include "scheduler/core/step_context.h"

namespace rm::scheduler {

void Take(StepContext& step, const pb::RankListening& event);
void Take(StepContext& step, const pb::RankJoined& event);
void Take(StepContext& step, const pb::RankExited& event);
void Take(StepContext& step, const pb::StartRefused& event);
void Take(StepContext& step, const pb::CheckpointCommitted& event);
void Take(StepContext& step, const pb::TrainingDone& event);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_RANK_EVENTS_H_
