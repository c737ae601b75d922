// Time as something that is passed in, so that tests own it.
//
// Everything that waits or measures a deadline takes a Clock&. Pure code (scheduler) takes `now`
// as an argument and no clock at all. RealClock() is the machine's; SimulatedClock
// (base/simulated_clock.h) is the tests'.
//
// There are two times, and mixing them up is a bug that shows once a year: Now() is for what
// people read and for what other machines compare; Monotonic() is for how long something took and
// when to give up, because it is not moved when somebody sets the clock.
#ifndef RM_BASE_CLOCK_H_
#define RM_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace rm::base {

// Thread-safe. Implementations outlive their users.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, for records that people read. May jump when the machine's clock is set.
  [[nodiscard]] virtual absl::Time Now() const = 0;

  // Time since an arbitrary origin, never going back: for deadlines and durations. Means nothing
  // in another process.
  [[nodiscard]] virtual absl::Duration Monotonic() const = 0;

  // Blocks the calling thread for at least `duration` (no-op when ≤ 0).
  virtual void SleepFor(absl::Duration duration) = 0;
};

// The machine's clock. Lives for ever.
[[nodiscard]] Clock& RealClock();

}  // namespace rm::base

#endif  // RM_BASE_CLOCK_H_
