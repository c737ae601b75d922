// First fit: the queue is walked from its head, and whatever fits starts.
//
// Slots are never idle while a job fits them; the price is that a wide gang may be overtaken by
// narrow ones without end.
#ifndef RM_SCHEDULER_POLICY_FIRST_FIT_H_
#define RM_SCHEDULER_POLICY_FIRST_FIT_H_

#include "scheduler/policy/pass_view.h"

namespace rm::scheduler {

// The first job in the queue whose shape has not been refused a place in this pass: free slots only
// become fewer in a pass, so the others of its shape have none either. O(shapes), whatever the
// length of the queue. Pure. The `next` of a Policy.
const Job* FirstThatMayFit(const PassView& view);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_FIRST_FIT_H_
