#include "runtime/worker/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status.h"

namespace rm::worker {
namespace {

constexpr int kInheritedFd = 3;

// Pointers into `strings`, with the null at the end that execve wants.
std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// This process's environment with `added` on top.
std::vector<std::string> MergedEnvironment(const std::vector<std::string>& added) {
  const auto same_name = [](const std::string& a, const std::string& b) {
    return a.substr(0, a.find('=')) == b.substr(0, b.find('='));
  };
  std::vector<std::string> all = added;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (std::none_of(added.begin(), added.end(),
                     [&](const std::string& name) { return same_name(name, text); })) {
      all.push_back(text);
    }
  }
  return all;
}

// Everything the child needs, prepared before it exists.
struct Plan {
  const char* program;
  char** arguments;
  char** environment;
  int inherited_fd;
  int output_fd;
  int error_fd;  // where errno is written when the program does not start; closed when it does
  pid_t parent;
  sigset_t no_signals;
};

// Runs in the child, on the parent's memory (vfork): system calls only. Returns errno when the program did not start.
int BecomeProgram(const Plan& plan) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) return ESRCH;  // the parent died in between
  const int output = plan.output_fd;
  if (output >= 0 && (::dup2(output, STDOUT_FILENO) < 0 || ::dup2(output, STDERR_FILENO) < 0)) {
    return errno;
  }
  int first_closed = kInheritedFd;
  if (plan.inherited_fd == kInheritedFd) {
    ::fcntl(kInheritedFd, F_SETFD, 0);  // dup2 onto itself would keep close-on-exec
    ++first_closed;
  } else if (plan.inherited_fd >= 0) {
    if (::dup2(plan.inherited_fd, kInheritedFd) < 0) return errno;
    ++first_closed;
  }
  ::syscall(SYS_close_range, first_closed, plan.error_fd - 1, 0);
  ::syscall(SYS_close_range, plan.error_fd + 1, UINT_MAX, 0);
  ::sigprocmask(SIG_SETMASK, &plan.no_signals, nullptr);
  ::execve(plan.program, plan.arguments, plan.environment);
  return errno;
}

// vfork, so that no library's fork handler runs and the memory of a large process is not copied.
pid_t Launch(const Plan& plan) {
  const pid_t pid = ::vfork();
  if (pid == 0) {
    const int error = BecomeProgram(plan);
    const ssize_t written = ::write(plan.error_fd, &error, sizeof(error));
    static_cast<void>(written);
    ::_exit(127);
  }
  return pid;
}

// A pipe that tells how a start went: errno, or nothing when the program runs. Not the memory that vfork shares: under a
// sanitizer vfork is fork. Its ends lie above any descriptor that a child is given.
class ErrorPipe {
 public:
  ErrorPipe() {
    std::array<int, 2> fds{-1, -1};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) return;
    for (size_t i = 0; i < fds.size(); ++i) {
      fds_[i] = ::fcntl(fds[i], F_DUPFD_CLOEXEC, kLeastFd);
      ::close(fds[i]);
    }
  }
  ~ErrorPipe() {
    for (const int fd : fds_) {
      if (fd >= 0) ::close(fd);
    }
  }
  ErrorPipe(const ErrorPipe&) = delete;
  ErrorPipe& operator=(const ErrorPipe&) = delete;

  [[nodiscard]] bool ok() const { return fds_[0] >= 0 && fds_[1] >= 0; }
  [[nodiscard]] int write_end() const { return fds_[1]; }
  // Waits until the child has become the program, or has failed to. 0: it runs.
  [[nodiscard]] int Read() {
    ::close(std::exchange(fds_[1], -1));
    int error = 0;
    ssize_t got = -1;
    do {
      got = ::read(fds_[0], &error, sizeof(error));
    } while (got < 0 && errno == EINTR);
    return got == sizeof(error) ? error : 0;
  }

 private:
  static constexpr int kLeastFd = 16;
  std::array<int, 2> fds_{-1, -1};
};

int OpenPidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

std::string Exit::ToString() const {
  if (signal == 0) return absl::StrCat("exit code ", code);
  return absl::StrCat("signal ", signal, " (", ::strsignal(signal), ")");
}

absl::StatusOr<std::unique_ptr<Subprocess>> Subprocess::Start(const SubprocessSpec& spec) {
  std::vector<std::string> arguments = spec.arguments;
  std::vector<std::string> environment = MergedEnvironment(spec.environment);
  std::vector<char*> argv = Pointers(arguments);
  std::vector<char*> envp = Pointers(environment);
  ErrorPipe outcome;
  if (!outcome.ok()) return base::ErrnoStatus(errno, absl::StrCat("start ", spec.program));
  Plan plan{spec.program.c_str(), argv.data(),         envp.data(), spec.inherited_fd,
            spec.output_fd,       outcome.write_end(), ::getpid(),  {}};
  ::sigemptyset(&plan.no_signals);
  const pid_t pid = Launch(plan);
  if (pid < 0) return base::ErrnoStatus(errno, absl::StrCat("start ", spec.program));
  if (const int error = outcome.Read(); error != 0) {
    ::waitpid(pid, nullptr, 0);
    return base::ErrnoStatus(error, absl::StrCat("start ", spec.program));
  }
  const int pidfd = OpenPidfd(pid);
  if (pidfd < 0) {
    const int open_error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return base::ErrnoStatus(open_error, absl::StrCat("watch process ", pid));
  }
  return std::unique_ptr<Subprocess>(new Subprocess(pid, pidfd));
}

Subprocess::~Subprocess() {
  if (!exit_.has_value()) {
    Kill();
    Wait(absl::InfiniteDuration());
  }
  ::close(pidfd_);
}

std::optional<Exit> Subprocess::Wait(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!exit_.has_value()) {
    pollfd watched = {pidfd_, POLLIN, 0};
    const int64_t left = absl::ToInt64Milliseconds(
        std::clamp(deadline - absl::Now(), absl::ZeroDuration(), absl::Hours(1)));
    const int ready = ::poll(&watched, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && absl::Now() >= deadline) return std::nullopt;
    if (ready <= 0) continue;
    int state = 0;
    // The group dies before its leader is reaped: until then its id cannot be reused.
    ::kill(-pid_, SIGKILL);
    rusage usage = {};
    if (::wait4(pid_, &state, 0, &usage) != pid_) continue;
    exit_ = WIFSIGNALED(state) ? Exit{0, WTERMSIG(state)} : Exit{WEXITSTATUS(state), 0};
    exit_->peak_memory = usage.ru_maxrss * 1024;  // told in KiB
  }
  return exit_;
}

void Subprocess::Signal(int signal) {
  if (!exit_.has_value()) ::syscall(SYS_pidfd_send_signal, pidfd_, signal, nullptr, 0);
}

void Subprocess::Kill() {
  if (!exit_.has_value()) ::kill(-pid_, SIGKILL);
}

}  // namespace rm::worker
