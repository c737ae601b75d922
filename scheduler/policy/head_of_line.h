// Strict order: the queue is tried from its head, and the first job without a place ends the pass.
//
// So a wide gang is never starved by narrow ones behind it; the price is that slots stay idle while
// they gather for it.
#ifndef RM_SCHEDULER_POLICY_HEAD_OF_LINE_H_
#define RM_SCHEDULER_POLICY_HEAD_OF_LINE_H_

#include "scheduler/policy/pass_view.h"

namespace rm::scheduler {

// Pure. The `next` of a Policy.
const Job* HeadOfLine(const PassView& view);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_POLICY_HEAD_OF_LINE_H_
