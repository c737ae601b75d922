// A clock that stands still until a test moves it.
//
//   SimulatedClock clock;
//   std::thread waiter([&] { clock.SleepFor(absl::Seconds(10)); });
//   clock.AwaitSleepers(1);             // it sleeps now, however long its thread took to start
//   clock.Advance(absl::Seconds(10));   // and now it does not
//   waiter.join();
//
// So a test of an hour's timeouts takes a millisecond, and never fails because a machine is slow.
#ifndef RM_BASE_SIMULATED_CLOCK_H_
#define RM_BASE_SIMULATED_CLOCK_H_

#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace rm::base {

// Thread-safe; outlives its sleepers. Invariants:
//   1. Monotonic() moves exactly as Now() does, from zero.
//   2. Time moves in Advance only.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(absl::Time start = absl::UnixEpoch()) : now_(start), start_(start) {}

  [[nodiscard]] absl::Time Now() const override;
  [[nodiscard]] absl::Duration Monotonic() const override;

  // Blocks until another thread has advanced the clock by `duration`.
  void SleepFor(absl::Duration duration) override;

  // Moves time forward and wakes every sleeper whose time has come. REQUIRES: duration ≥ 0.
  void Advance(absl::Duration duration);

  // Blocks until at least `count` threads are inside SleepFor with their time still to come, so
  // that a test knows whom its next Advance will wake.
  void AwaitSleepers(int count);

 private:
  mutable Mutex mutex_;
  CondVar changed_;  // the time, or who sleeps
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  // When each thread inside SleepFor is to wake.
  std::multiset<absl::Time> wake_ups_ ABSL_GUARDED_BY(mutex_);
  const absl::Time start_;
};

}  // namespace rm::base

#endif  // RM_BASE_SIMULATED_CLOCK_H_
