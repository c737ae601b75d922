// EASY backfill: the queue in order, and one reservation for its head.
//
// The first job without a place gets the earliest time and workers at which the expected ends of
// the running jobs leave room for it. A job behind it may start only if it is expected to end by
// then, or takes slots that the reservation leaves over. With expectations that hold, the head
// starts no later than under `fifo`.
//
// Expectations: estimate.h. Where the head's time cannot be told, because jobs that it waits for
// have none, nothing overtakes it.
//
// For example, one worker of 4 slots; a holds 3 of them until 100, b wants 4, c wants 1:
//   c is expected to run for 20 at time 2    c starts at once: it ends before 100
//   c is expected to run for 200             c waits: b, reserved at 100, would have to wait for it
//   c is expected to run for 200, and b      c starts at once: at 100 there are 4 free slots of which
//   wants 3                                  b leaves one over
#ifndef RM_SCHEDULER_POLICY_EASY_H_
#define RM_SCHEDULER_POLICY_EASY_H_

#include "scheduler/policy/pass_view.h"

namespace rm::scheduler {

// Pure. O(workers + queued + holding · log). The `plan` of a Policy.
PassPlan EasyPlan(const PassView& view);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_EASY_H_
