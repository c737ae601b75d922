#include "base/simulated_clock.h"

#include <iterator>

#include "base/check.h"

namespace rm::base {

absl::Time SimulatedClock::Now() const {
  MutexLock lock(mutex_);
  return now_;
}

absl::Duration SimulatedClock::Monotonic() const {
  MutexLock lock(mutex_);
  return now_ - start_;
}

void SimulatedClock::SleepFor(absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return;
  MutexLock lock(mutex_);
  const absl::Time wake_up = now_ + duration;
  const auto entry = wake_ups_.insert(wake_up);
  changed_.SignalAll();
  while (now_ < wake_up) changed_.Wait(mutex_);
  wake_ups_.erase(entry);
}

void SimulatedClock::Advance(absl::Duration duration) {
  RM_CHECK(duration >= absl::ZeroDuration(), absl::FormatDuration(duration));
  MutexLock lock(mutex_);
  now_ += duration;
  changed_.SignalAll();
}

void SimulatedClock::AwaitSleepers(int count) {
  MutexLock lock(mutex_);
  // Those whose time has come are no sleepers any more, even if they have not run yet.
  while (std::distance(wake_ups_.upper_bound(now_), wake_ups_.end()) < count) {
    changed_.Wait(mutex_);
  }
}

}  // namespace rm::base
