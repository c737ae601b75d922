// What ranks report, and what their workers say about them.
//
// One function an event. REQUIRES of each: Refuse() has let the event pass, and it is the present
// one of `step`.
#ifndef RM_SCHEDULER_CORE_RANK_EVENTS_H_
#define RM_SCHEDULER_CORE_RANK_EVENTS_H_

#include "proto/scheduler.pb.h"
#include "scheduler/core/step_context.h"

namespace rm::scheduler {

// The last one that listens brings StartGeneration.
void Take(StepContext& step, const pb::RankListening& event);
// The last one that joins makes the job RUNNING.
void Take(StepContext& step, const pb::RankJoined& event);
// A loss, though the rank lives: it is stopped, with its stacks in its log, and before the rest of
// its gang.
void Take(StepContext& step, const pb::RankHung& event);
// Said to people; nothing follows from it.
void Take(StepContext& step, const pb::RankNotice& event);
// A loss (see loss.h), or one of those that leave as they should.
void Take(StepContext& step, const pb::RankExited& event);
// A loss.
void Take(StepContext& step, const pb::StartRefused& event);
// Nothing follows from it.
void Take(StepContext& step, const pb::CheckpointCommitted& event);
// From now on the ranks may leave; when all have, the job has succeeded. That holds for a job that
// recovers or stops, too: there is nothing left to train.
void Take(StepContext& step, const pb::TrainingDone& event);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_RANK_EVENTS_H_
