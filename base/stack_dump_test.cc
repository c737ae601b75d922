#include "base/stack_dump.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "base/temporary_folder.h"

namespace rm::base {
namespace {

// Threads that wait in a function of a name of their own until the test is over.
class Gate {
 public:
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitWaiting(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ == count; });
  }
  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

std::atomic<int> g_calls{0};  // makes the calls below no tail calls

[[gnu::noinline]] void WaitInAllreduce(Gate& gate) {
  gate.Wait();
  ++g_calls;
}

[[gnu::noinline]] void WaitWithoutListening(Gate& gate) {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  gate.Wait();
  ++g_calls;
}

[[gnu::noinline]] void Spin(const std::atomic<bool>& over) {
  while (!over) ++g_calls;
}

// The dump is installed once a process, into one file.
std::string& DumpPath() {
  static TemporaryFolder folder;
  static std::string path = [] {
    std::string file = folder.File("log");
    InstallStackDump(SIGQUIT, ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
    return file;
  }();
  return path;
}

// What one SIGQUIT to this thread adds to the file: the handler has run when raise returns.
std::string Dump() {
  const std::string path = DumpPath();
  const size_t before = PosixFileSystem().ReadFile(path)->size();
  ::raise(SIGQUIT);
  return PosixFileSystem().ReadFile(path)->substr(before);
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("every thread writes where it stands, the first thread first, and all go on") {
  Gate gate;
  std::atomic<bool> over{false};
  std::thread waiting([&] { WaitInAllreduce(gate); });
  std::thread spinning([&] {
    ::pthread_setname_np(::pthread_self(), "busy");
    Spin(over);
  });
  gate.AwaitWaiting(1);
  const int round = GENERATE(1, 2);  // a second dump is as good as the first
  INFO("round " << round);
  const std::string dump = Dump();
  INFO(dump);
  CHECK_THAT(dump, Catch::StartsWith(kStackDumpBegin));
  CHECK_THAT(dump, Catch::EndsWith(std::string(kStackDumpEnd) + "\n"));
  CHECK_THAT(dump, Catch::Contains("WaitInAllreduce"));
  CHECK_THAT(dump, Catch::Contains("(busy)"));
  CHECK_THAT(dump, Catch::Contains("Spin"));
  CHECK(Count(dump, "\nthread ") == 3);
  CHECK_THAT(dump, Catch::Contains("3 threads\nthread " + std::to_string(::getpid()) + " "));
  // The handler itself is in no stack.
  CHECK(Count(dump, "OnSignal") == 0);
  over = true;
  gate.Open();
  waiting.join();
  spinning.join();
}

TEST_CASE("a thread that cannot answer is named with its state, and the others are not held up") {
  Gate gate;
  std::thread deaf([&] { WaitWithoutListening(gate); });
  std::thread waiting([&] { WaitInAllreduce(gate); });
  gate.AwaitWaiting(2);
  const std::string dump = Dump();
  INFO(dump);
  CHECK(Count(dump, " does not answer: state S\n") == 1);
  CHECK(Count(dump, "WaitInAllreduce") == 1);
  CHECK_THAT(dump, Catch::EndsWith(std::string(kStackDumpEnd) + "\n"));
  gate.Open();
  deaf.join();
  waiting.join();
}

TEST_CASE("with many threads each is there once, whole") {
  Gate gate;
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) threads.emplace_back([&] { WaitInAllreduce(gate); });
  gate.AwaitWaiting(40);
  const std::string dump = Dump();
  CHECK(Count(dump, "WaitInAllreduce") == 40);
  CHECK(Count(dump, "\nthread ") == 41);
  CHECK(Count(dump, "  #0 ") == 41);
  gate.Open();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rm::base
