// What a lost rank means for its job. The one place that decides between recovery and failure.
//
// A rank that left because a peer was gone is a consequence: the peer's own end is awaited
// (CAUSE_UNKNOWN) for the cause window, or until all ranks have left. The first cause is kept as
// the job's reason; what follows from it, and ranks that we stop ourselves, change nothing. A loss
// ends the job when no restart is left, or when its ranks fail by themselves at the same step for
// the second time.
//
// What a lost rank does in each phase of a gang:
//   together (COMING_UP, RUNNING)  by its own fault or its worker's: a restart is used up, LEAVING
//                                  because of a peer: CAUSE_UNKNOWN
//                                  with exit code 0: waited for; LEAVING when the leave window ends
//   CAUSE_UNKNOWN                  by a fault: that is the cause; LEAVING
//                                  the last one: what is known is the cause; LEAVING
//   LEAVING                        the last one: the next generation, or WAITING_FOR_SLOTS
//   STOPPING                       the last one: the stop target
//   RUNNING, training done         the last one: SUCCEEDED
#ifndef RM_SCHEDULER_CORE_LOSS_H_
#define RM_SCHEDULER_CORE_LOSS_H_

#include "proto/scheduler.pb.h"
#include "scheduler/core/step_context.h"

namespace rm::scheduler {

// A rank of `job` is gone by a fault of its own or its worker's; the facts are applied.
void LoseRank(StepContext& step, const Job& job, const pb::Reason& cause);

// A rank of `job` is gone because a peer was.
void LoseByPeer(StepContext& step, const Job& job, const pb::Reason& reason);

// A rank of `job` is gone in the ordinary way.
void LeaveRank(StepContext& step, const Job& job);

// The cause window is over, or all have left: what is known now is the cause.
void SettleCause(StepContext& step, const Job& job);

// The first rank that left with exit code 0; -1: none did.
int32_t FirstCleanExit(const Job& job);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_LOSS_H_
