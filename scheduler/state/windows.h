// How long the scheduler waits for what should come by itself. A job's own times (queue_timeout,
// grace_period …) are in its spec.
#ifndef RM_SCHEDULER_STATE_WINDOWS_H_
#define RM_SCHEDULER_STATE_WINDOWS_H_

#include "absl/time/time.h"

namespace rm::scheduler {

struct Windows {
  // An absent worker that has not re-attached by then is lost.
  absl::Duration adopt = absl::Seconds(30);
  // After a rank left because a peer was gone: how long the peer's own end may take to be reported.
  // A little more than the 1.5 s after which a worker with a broken stream is lost.
  absl::Duration cause = absl::Seconds(2);
  // After the training is done: how long the ranks may take to leave. Also: how long the others may
  // go on after a rank has left with exit code 0 and the training is not known to be done.
  absl::Duration leave = absl::Seconds(30);
};

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_WINDOWS_H_
