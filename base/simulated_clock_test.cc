#include "base/simulated_clock.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace rm::base {
namespace {

TEST_CASE("A simulated clock stands still until it is advanced") {
  SimulatedClock clock;
  CHECK(clock.Now() == absl::UnixEpoch());
  CHECK(clock.Monotonic() == absl::ZeroDuration());
  clock.Advance(absl::Seconds(3));
  CHECK(clock.Now() == absl::UnixEpoch() + absl::Seconds(3));
  CHECK(clock.Monotonic() == absl::Seconds(3));
  clock.Advance(absl::ZeroDuration());
  CHECK(clock.Monotonic() == absl::Seconds(3));
}

TEST_CASE("A simulated clock may start at any time; its monotonic time starts at zero") {
  const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
  SimulatedClock clock(start);
  CHECK(clock.Now() == start);
  CHECK(clock.Monotonic() == absl::ZeroDuration());
}

TEST_CASE("Sleeping for no time or less returns at once") {
  SimulatedClock clock;
  clock.SleepFor(absl::ZeroDuration());
  clock.SleepFor(-absl::Seconds(1));
  CHECK(clock.Monotonic() == absl::ZeroDuration());
}

TEST_CASE("A sleeper wakes when its time has come and not before") {
  SimulatedClock clock;
  std::atomic<bool> awake{false};
  std::thread sleeper([&] {
    clock.SleepFor(absl::Seconds(10));
    awake = true;
  });
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(9));
  clock.AwaitSleepers(1);  // still asleep, or this would hang
  CHECK_FALSE(awake);
  clock.Advance(absl::Seconds(1));
  sleeper.join();
  CHECK(awake);
}

TEST_CASE("One advance wakes exactly the sleepers whose time has come") {
  constexpr int kSleepers = 8;
  SimulatedClock clock;
  std::vector<std::thread> threads;
  for (int i = 1; i <= kSleepers; ++i) {
    threads.emplace_back([&clock, i] { clock.SleepFor(absl::Seconds(i)); });
  }
  clock.AwaitSleepers(kSleepers);
  for (int i = 1; i <= kSleepers; ++i) {
    clock.Advance(absl::Seconds(1));
    threads[static_cast<size_t>(i - 1)].join();
    clock.AwaitSleepers(kSleepers - i);
  }
  CHECK(clock.Monotonic() == absl::Seconds(kSleepers));
}

TEST_CASE("A sleeper that was woken no longer counts as one, even before it runs again") {
  SimulatedClock clock;
  std::atomic<int> naps{0};
  std::thread sleeper([&] {
    for (int i = 0; i < 100; ++i) {
      clock.SleepFor(absl::Seconds(1));
      ++naps;
    }
  });
  for (int i = 0; i < 100; ++i) {
    clock.AwaitSleepers(1);  // the nap after the i-th: an old one does not satisfy it
    CHECK(naps == i);
    clock.Advance(absl::Seconds(1));
  }
  sleeper.join();
  CHECK(naps == 100);
}

}  // namespace
}  // namespace rm::base
