// A clock that stands still until a test moves it.
#ifndef RM_BASE_SIMULATED_CLOCK_H_
#define RM_BASE_SIMULATED_CLOCK_H_

#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace rm::base {

// Thread-safe. Invariant: Monotonic() moves exactly as Now() does.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(absl::Time start = absl::UnixEpoch()) : now_(start), start_(start) {}

  [[nodiscard]] absl::Time Now() const override;
  [[nodiscard]] absl::Duration Monotonic() const override;

  // Blocks until another thread has advanced the clock by `duration`.
  void SleepFor(absl::Duration duration) override;

  // Moves time forward and wakes every sleeper whose time has come. REQUIRES: duration ≥ 0.
  void Advance(absl::Duration duration);

  // Blocks until at least `count` threads are inside SleepFor with their time still to come, so that a test knows
  // whom its next Advance will wake.
  void AwaitSleepers(int count);

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  std::multiset<absl::Time> wake_ups_ ABSL_GUARDED_BY(mutex_);  // one for each thread inside SleepFor
  const absl::Time start_;
};

}  // namespace rm::base

#endif  // RM_BASE_SIMULATED_CLOCK_H_
