// What an operator chooses about scheduling.
#ifndef RM_SCHEDULER_CORE_OPTIONS_H_
#define RM_SCHEDULER_CORE_OPTIONS_H_

#include <string>

#include "absl/time/time.h"
#include "scheduler/state/retention.h"
#include "scheduler/state/windows.h"

namespace rm::scheduler {

struct SchedulerOptions {
  std::string policy = "priority";  // a name of scheduler/policy/policy.h
  // A name of scheduler/placement/placement.h; for jobs that name none.
  std::string placement = "pack";
  absl::Duration adopt_window = absl::Seconds(30);  // see Windows::adopt
  absl::Duration cause_window = absl::Seconds(2);   // see Windows::cause
  absl::Duration leave_window = absl::Seconds(30);  // see Windows::leave
  Retention retention;                              // how much of the past is kept

  Windows windows() const { return {adopt_window, cause_window, leave_window}; }
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_OPTIONS_H_
