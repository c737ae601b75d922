#include "base/mutex.h"

#include <catch2/catch.hpp>

#include <thread>
#include <vector>

#include "absl/time/clock.h"

namespace rm::base {
namespace {

struct Counter {
  Mutex mutex;
  CondVar changed;
  int value ABSL_GUARDED_BY(mutex) = 0;

  void Increment() {
    MutexLock lock(mutex);
    ++value;
    changed.SignalAll();
  }

  void WaitFor(int least) {
    MutexLock lock(mutex);
    while (value < least) changed.Wait(mutex);
  }
};

TEST_CASE("increments under the lock are not lost, and a waiter sees the last of them") {
  Counter counter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&counter] {
      for (int i = 0; i < 1000; ++i) counter.Increment();
    });
  }
  counter.WaitFor(4000);
  for (std::thread& thread : threads) thread.join();
  MutexLock lock(counter.mutex);
  CHECK(counter.value == 4000);
}

TEST_CASE("a wait whose deadline has passed returns false and holds the lock again") {
  Counter counter;
  MutexLock lock(counter.mutex);
  while (counter.changed.WaitUntil(counter.mutex, absl::Now() - absl::Seconds(1))) {
  }
  CHECK(counter.value == 0);
}

TEST_CASE("a wait for a length of time ends without a signal and holds the lock again") {
  Counter counter;
  MutexLock lock(counter.mutex);
  while (counter.changed.WaitFor(counter.mutex, absl::Milliseconds(1))) {
  }
  CHECK(counter.value == 0);
}

TEST_CASE("a wait without end is ended by a signal, and by nothing else") {
  const bool by_length = GENERATE(false, true);
  Counter counter;
  std::thread thread([&counter] { counter.Increment(); });
  {
    MutexLock lock(counter.mutex);
    while (counter.value == 0) {
      CHECK((by_length ? counter.changed.WaitFor(counter.mutex, absl::InfiniteDuration())
                       : counter.changed.WaitUntil(counter.mutex, absl::InfiniteFuture())));
    }
  }
  thread.join();
}

}  // namespace
}  // namespace rm::base
