#include "base/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace rm::base {
namespace {

// steady_clock is CLOCK_MONOTONIC: it stands still while the machine is suspended, which is what a
// deadline of a running job wants.
class MachineClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }

  absl::Duration Monotonic() const override {
    return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }

  void SleepFor(absl::Duration duration) override { absl::SleepFor(duration); }
};

}  // namespace

Clock& RealClock() {
  static MachineClock& clock = *new MachineClock();
  return clock;
}

}  // namespace rm::base
