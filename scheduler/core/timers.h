// What happens because nothing else did: absent workers that stay away, and the timers of
// scheduler/state/timer.h.
#ifndef RM_SCHEDULER_CORE_TIMERS_H_
#define RM_SCHEDULER_CORE_TIMERS_H_

#include "scheduler/core/step_context.h"

namespace rm::scheduler {

// Fires every timer that is due at the time of the step, workers' first, each in order of its
// deadline.
void FireTimers(StepContext& step);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_TIMERS_H_
