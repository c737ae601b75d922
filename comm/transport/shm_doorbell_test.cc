#include "comm/transport/shm_doorbell.h"

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/time/clock.h"

namespace rm::comm {
namespace {

TEST_CASE("a ring that came before the wait ends it at once") {
  Doorbell bell;
  const uint32_t seen = bell.rings();
  bell.Ring();
  CHECK(bell.rings() == seen + 1);
  CHECK_FALSE(bell.Wait(seen, absl::InfiniteFuture()));
  CHECK(bell.Wait(seen, absl::InfiniteFuture(), 1));
}

TEST_CASE("a wait without a ring ends with its deadline") {
  Doorbell bell;
  const absl::Time begin = absl::Now();
  bell.Wait(bell.rings(), begin + absl::Milliseconds(30), 10);
  CHECK(absl::Now() - begin >= absl::Milliseconds(25));
  bell.Wait(bell.rings(), begin - absl::Seconds(1));  // long past: returns
}

TEST_CASE("two threads that answer each other's rings miss none") {
  Doorbell ping;
  Doorbell pong;
  std::atomic<int> turn{0};
  constexpr int kTurns = 20000;
  const auto play = [&turn](Doorbell& own, Doorbell& other, int parity) {
    for (int i = parity; i < kTurns; i += 2) {
      while (true) {
        const uint32_t seen = own.rings();
        if (turn.load() == i) break;
        own.Wait(seen, absl::InfiniteFuture(), i % 5);
      }
      turn.store(i + 1);
      other.Ring();
    }
  };
  std::thread other([&] { play(pong, ping, 1); });
  play(ping, pong, 0);
  other.join();
  CHECK(turn == kTurns);
}

TEST_CASE("a ring wakes every thread that sleeps") {
  Doorbell bell;
  const uint32_t seen = bell.rings();
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 4; ++i) {
    sleepers.emplace_back([&] {
      while (bell.rings() == seen) bell.Wait(seen, absl::InfiniteFuture());
    });
  }
  bell.Ring();
  for (std::thread& sleeper : sleepers) sleeper.join();
}

TEST_CASE("a bell is heard in another process, and rings on when a sleeper there is killed") {
  const auto bell = SharedDoorbell::Create();
  REQUIRE(bell.ok());
  const auto peers = SharedDoorbell::Adopt(Descriptor(::dup(bell->fd())));
  REQUIRE(peers.ok());
  const pid_t sleeper = ::fork();
  if (sleeper == 0) {
    while (true) peers->bell().Wait(peers->bell().rings(), absl::InfiniteFuture());
  }
  const uint32_t seen = bell->bell().rings();
  const pid_t ringer = ::fork();
  if (ringer == 0) {
    peers->bell().Ring();
    ::_exit(0);
  }
  while (bell->bell().rings() == seen) bell->bell().Wait(seen, absl::InfiniteFuture());
  ::kill(sleeper, SIGKILL);
  ::waitpid(sleeper, nullptr, 0);
  ::waitpid(ringer, nullptr, 0);
  bell->bell().Ring();
  CHECK(peers->bell().rings() == seen + 2);
}

TEST_CASE("spinning pays for itself or becomes rare") {
  SpinBudget budget;
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(budget.Next());
    budget.Learn(false);
  }
  CHECK(budget.Next() == 0);
  int most = 0;
  for (int i = 0; i < 16; ++i) {
    most = std::max(most, budget.Next());
    budget.Learn(false);
  }
  CHECK(most > 0);  // it tries again now and then
  for (int i = 0; i < 10; ++i) budget.Learn(true);
  CHECK(budget.Next() == 64);
}

}  // namespace
}  // namespace rm::comm
