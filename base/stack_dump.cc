// One thread, the dumper, gets the signal from outside. It lists the threads of the process and sends the same signal to each in
// turn; a thread that gets it from its own process writes its own stack, because only a thread itself can walk its stack safely.
// g_turn says whose turn it is: the thread claims it before it writes, the dumper takes it back when the time is up, so nothing is
// written out of turn.
#include "base/stack_dump.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/debugging/symbolize.h"
#include "base/check.h"

namespace rm::base {
namespace {

// Threads listed, and frames of each: a runaway recursion must not flood the log.
constexpr size_t kThreadsMax = 512;
constexpr int kFramesMax = 48;
// For one thread. A machine with ten ranks on two cores schedules a thread within some 20 ms; and a
// worker waits 2 s for the whole dump.
constexpr int kWaitMilliseconds = 250;
constexpr int kNobody = 0;

// All that handlers share. Atomics alone: whoever is interrupted may hold any lock there is.
std::atomic<int> g_signal{0};
std::atomic<int> g_fd{-1};
std::atomic<bool> g_dumping{false};  // one dump at a time
std::atomic<int> g_turn{kNobody};   // thread that is to write
std::atomic<int> g_writer{kNobody};  // thread that has taken its turn and is writing

// Not gettid(): glibc has had it for a short time only, and a thread's id is not cached there.
int ThreadId() { return static_cast<int>(::syscall(SYS_gettid)); }

// A line built without allocating; what does not fit is cut off. Neither printf nor the streams may
// be called in a handler: both may allocate, and lock.
class Line {
 public:
  // Leaves room for the line break that Write adds.
  Line& Text(const char* text) {
    for (; *text != 0 && size_ < bytes_.size() - 1; ++text) bytes_[size_++] = *text;
    return *this;
  }
  // Digits come last first, so they are turned around.
  Line& Number(uint64_t number, uint64_t base = 10, int digits_min = 1) {
    std::array<char, 24> digits{};
    int count = 0;
    for (; number > 0 || count < digits_min; number /= base) {
      digits[static_cast<size_t>(count++)] = "0123456789abcdef"[number % base];
    }
    while (count > 0 && size_ < bytes_.size() - 1) {
      bytes_[size_++] = digits[static_cast<size_t>(--count)];
    }
    return *this;
  }
  // In one write, so that lines of other threads do not tear it. A log that cannot be written to is
  // no reason to stop.
  void Write() {
    bytes_[size_++] = '\n';
    const ssize_t written = ::write(g_fd, bytes_.data(), size_);
    static_cast<void>(written);
    size_ = 0;
  }

 private:
  std::array<char, 1024> bytes_{};
  size_t size_ = 0;
};

// Polling: a futex would do, but who waits here must also notice that nobody will ever wake it.
void Sleep(int milliseconds) {
  const timespec time{0, milliseconds * 1'000'000L};
  ::nanosleep(&time, nullptr);
}

// The content of a file below /proc/self/task/<thread>/, as far as it fits, ended by a zero; empty
// when the thread has ended meanwhile.
template <size_t kSize>
void ReadThreadFile(int thread, const char* name, std::array<char, kSize>& content) {
  std::array<char, 64> path{};
  char* end = path.data();
  const auto append = [&](const char* part) {
    while (*part != 0) *end++ = *part++;
  };
  append("/proc/self/task/");
  std::array<char, 12> digits{};
  char* digit = digits.data() + digits.size() - 1;
  for (int rest = thread; rest > 0; rest /= 10) *--digit = static_cast<char>('0' + rest % 10);
  append(digit);
  append(name);
  content.fill(0);
  const int fd = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const ssize_t got = ::read(fd, content.data(), kSize - 1);
  static_cast<void>(got);
  ::close(fd);
}

// "thread 12 (name)", the beginning of what is said of a thread.
Line Headline(int thread) {
  std::array<char, 32> name{};
  ReadThreadFile(thread, "/comm", name);
  if (char* const end = std::strchr(name.data(), '\n')) *end = 0;
  Line line;
  line.Text("thread ").Number(static_cast<uint64_t>(thread)).Text(" (").Text(name.data()).Text(")");
  return line;
}

// The calling thread's own stack, without the handler's part of it: what lies above the frame that the handler returns to.
void WriteOwnStack(const void* handler_return) {
  Headline(ThreadId()).Write();
  std::array<void*, kFramesMax> frames{};
  const int depth = ::backtrace(frames.data(), kFramesMax);
  int first = 0;
  for (int i = 0; i < depth; ++i) {
    if (frames[static_cast<size_t>(i)] == handler_return) first = i + 1;
  }
  for (int i = first; i < depth; ++i) {
    void* const address = frames[static_cast<size_t>(i)];
    Line line;
    line.Text("  #").Number(static_cast<uint64_t>(i - first)).Text(" 0x");
    line.Number(reinterpret_cast<uint64_t>(address), 16, 16).Text(" ");
    std::array<char, 512> name{};
    // A return address may be the first byte of the next function: the call lies before it.
    const bool is_call = i > first;
    const bool known = absl::Symbolize(static_cast<char*>(address) - (is_call ? 1 : 0),
                                       name.data(), static_cast<int>(name.size()));
    line.Text(known ? name.data() : "(unknown)");
    line.Write();
  }
}

// The state letter is behind the last ')' of the stat line: a name may hold brackets itself.
void WriteNoAnswer(int thread) {
  std::array<char, 256> stat{};
  ReadThreadFile(thread, "/stat", stat);
  const char* const end_of_name = std::strrchr(stat.data(), ')');
  if (end_of_name == nullptr) return;  // it has ended meanwhile
  const std::array<char, 2> state{end_of_name[1] == 0 ? '?' : end_of_name[2], 0};
  Headline(thread).Text(" does not answer: state ").Text(state.data()).Write();
}

// Hands the turn to a thread and waits until it has written, or its time is up.
void DumpOther(int thread) {
  g_turn = thread;
  if (::syscall(SYS_tgkill, ::getpid(), thread, g_signal.load()) != 0) {
    g_turn = kNobody;  // it has ended
    return;
  }
  for (int waited = 0; waited < kWaitMilliseconds && g_turn == thread; ++waited) Sleep(1);
  int expected = thread;
  if (g_turn.compare_exchange_strong(expected, kNobody)) return WriteNoAnswer(thread);
  for (int waited = 0; waited < kWaitMilliseconds && g_writer == thread; ++waited) Sleep(1);
}

// The ids of this process's threads in increasing order, so that its first thread comes first. Read
// with system calls: opendir allocates. A thread that starts during the dump is left out.
size_t ListThreads(std::array<int, kThreadsMax>& threads) {
  const int folder = ::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return 0;
  size_t count = 0;
  alignas(8) std::array<char, 4096> entries{};
  for (;;) {
    const int64_t bytes = ::syscall(SYS_getdents64, folder, entries.data(), entries.size());
    if (bytes <= 0) break;
    for (int64_t at = 0; at < bytes;) {
      // struct linux_dirent64: inode (8), offset (8), length (2), type (1), name
      const char* const entry = entries.data() + at;
      uint16_t length = 0;
      std::memcpy(&length, entry + 16, sizeof(length));
      int thread = 0;
      for (const char* c = entry + 19; *c >= '0' && *c <= '9'; ++c) thread = thread * 10 + *c - '0';
      if (thread > 0 && count < kThreadsMax) threads[count++] = thread;
      at += length;
    }
  }
  ::close(folder);
  std::sort(threads.begin(), threads.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

// The dumper's work: its own stack in its place among the others'.
void DumpAll(const void* handler_return) {
  std::array<int, kThreadsMax> threads{};
  const size_t count = ListThreads(threads);
  Line line;
  line.Text(kStackDumpBegin).Text(" ").Number(static_cast<uint64_t>(::getpid())).Text(", ");
  line.Number(count).Text(count == 1 ? " thread" : " threads").Write();
  const int own = ThreadId();
  for (size_t i = 0; i < count; ++i) {
    if (threads[i] == own) {
      WriteOwnStack(handler_return);
    } else {
      DumpOther(threads[i]);
    }
  }
  line.Text(kStackDumpEnd).Write();
}

// From outside, or from the dumper of this very process: kill() cannot pass for the latter, since it
// is no SI_TKILL, and a raise() of our own begins a dump when there is none. The interrupted code
// must find errno as it was.
void OnSignal(int, siginfo_t* info, void*) {
  const int saved_errno = errno;
  const void* const handler_return = __builtin_return_address(0);
  const int own = ThreadId();
  const bool from_dumper = info->si_code == SI_TKILL && info->si_pid == ::getpid() && g_dumping;
  if (from_dumper) {
    int expected = own;
    g_writer = own;
    if (g_turn.compare_exchange_strong(expected, kNobody)) WriteOwnStack(handler_return);
    expected = own;
    g_writer.compare_exchange_strong(expected, kNobody);
  } else if (!g_dumping.exchange(true)) {
    DumpAll(handler_return);
    g_dumping = false;
  }
  errno = saved_errno;
}

}  // namespace

// backtrace loads libgcc when it is first called, with locks and memory that a handler must not ask
// for. SA_RESTART: most system calls of the threads that are interrupted go on as if nothing had been.
void InstallStackDump(int signal, int fd) {
  RM_CHECK(g_signal == 0, "there is one stack dump a process");
  std::array<void*, 1> frame{};
  ::backtrace(frame.data(), 1);
  absl::InitializeSymbolizer("");
  g_fd = fd;
  g_signal = signal;
  struct sigaction action = {};
  action.sa_sigaction = &OnSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  RM_CHECK(::sigaction(signal, &action, nullptr) == 0, "sigaction: errno ", errno);
}

}  // namespace rm::base
