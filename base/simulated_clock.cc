#include "base/simulated_clock.h"

#include <iterator>

#include "base/check.h"

namespace rm::base {

absl::Time SimulatedClock::Now() const {
  absl::MutexLock lock(&mutex_);
  return now_;
}

absl::Duration SimulatedClock::Monotonic() const {
  absl::MutexLock lock(&mutex_);
  return now_ - start_;
}

void SimulatedClock::SleepFor(absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  if (duration <= absl::ZeroDuration()) return;
  const absl::Time wake_up = now_ + duration;
  const auto is_over = [this, wake_up]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return now_ >= wake_up; };
  const auto entry = wake_ups_.insert(wake_up);
  mutex_.Await(absl::Condition(&is_over));
  wake_ups_.erase(entry);
}

void SimulatedClock::Advance(absl::Duration duration) {
  RM_CHECK(duration >= absl::ZeroDuration(), absl::FormatDuration(duration));
  absl::MutexLock lock(&mutex_);
  now_ += duration;
}

void SimulatedClock::AwaitSleepers(int count) {
  absl::MutexLock lock(&mutex_);
  const auto are_asleep = [this, count]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return std::distance(wake_ups_.upper_bound(now_), wake_ups_.end()) >= count;
  };
  mutex_.Await(absl::Condition(&are_asleep));
}

}  // namespace rm::base
