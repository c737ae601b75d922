#include "runtime/coordinator/task_thread.h"

#include <atomic>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace rm::coordinator {
namespace {

TEST_CASE("tasks run in the order in which they were posted, all on one thread") {
  TaskThread thread;
  thread.Start();
  std::vector<int> order;
  std::thread::id id;
  for (int i = 0; i < 100; ++i) {
    thread.Post([&, i] {
      if (i == 0) id = std::this_thread::get_id();
      if (id == std::this_thread::get_id()) order.push_back(i);
    });
  }
  REQUIRE(thread.PostAndWait([] {}));
  REQUIRE(order.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(order[static_cast<size_t>(i)] == i);
  CHECK(id != std::this_thread::get_id());
}

TEST_CASE("what is posted during a batch is of the next one, and the hook runs once after each") {
  int hooks = 0;
  std::vector<int> seen;  // hooks so far, at each task
  TaskThread thread([&] {
    ++hooks;
    return absl::Seconds(hooks);
  });
  thread.Post([&] {
    seen.push_back(hooks);
    thread.Post([&] { seen.push_back(hooks); });
  });
  thread.Post([&] { seen.push_back(hooks); });
  CHECK(thread.RunBatch() == absl::Seconds(1));
  CHECK(thread.RunBatch() == absl::Seconds(2));
  CHECK(seen == std::vector<int>{0, 0, 1});
}

TEST_CASE("the hook is called again when the time it asked for is over") {
  std::atomic<int> hooks{0};
  TaskThread thread([&] {
    ++hooks;
    return absl::Milliseconds(1);
  });
  thread.Start();
  while (hooks < 5) std::this_thread::yield();
  thread.Stop();
  CHECK(hooks >= 5);
}

TEST_CASE("stopping runs what is queued first, with what that posts") {
  std::vector<int> order;
  TaskThread thread;
  thread.Post([&] {
    order.push_back(1);
    thread.Post([&] { order.push_back(2); });
  });
  thread.Start();
  thread.Stop();
  CHECK(order == std::vector<int>{1, 2});
  thread.Stop();
}

TEST_CASE("after the end tasks are dropped, and waiting for one fails at once") {
  TaskThread thread;
  thread.Start();
  thread.Stop();
  bool ran = false;
  thread.Post([&] { ran = true; });
  CHECK_FALSE(thread.PostAndWait([&] { ran = true; }));
  CHECK_FALSE(ran);
}

TEST_CASE("a thread that never started drops its tasks, and who waits for them is released") {
  std::atomic<bool> released{false};
  TaskThread thread;
  std::thread waiter([&] {
    CHECK_FALSE(thread.PostAndWait([] {}));
    released = true;
  });
  thread.Stop();
  waiter.join();
  CHECK(released);
}

TEST_CASE("waiting for a task ends after its limit, and the task may still run") {
  TaskThread thread;
  std::atomic<bool> go{false};
  thread.Start();
  thread.Post([&] {
    while (!go) std::this_thread::yield();
  });
  const auto ran = std::make_shared<std::atomic<bool>>(false);
  CHECK_FALSE(thread.PostAndWait([ran] { *ran = true; }, absl::Milliseconds(1)));
  go = true;
  thread.Stop();
  CHECK(*ran);
}

TEST_CASE("many threads may post at once") {
  TaskThread thread;
  thread.Start();
  int count = 0;  // touched by the one thread only
  std::vector<std::thread> posters;
  for (int p = 0; p < 4; ++p) {
    posters.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) thread.Post([&] { ++count; });
    });
  }
  for (std::thread& poster : posters) poster.join();
  thread.Stop();
  CHECK(count == 4000);
}

}  // namespace
}  // namespace rm::coordinator
