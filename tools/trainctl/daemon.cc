#include "tools/trainctl/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/status.h"

namespace rm::trainctl {
namespace {

// A process's start time in clock ticks since boot, or 0 when it is gone or a zombie (see proc(5)).
// Together with the pid this names one process for ever: a pid alone may be another's by now.
uint64_t StartTicks(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return 0;
  const std::vector<std::string> fields = absl::StrSplit(text.substr(name_end + 2), ' ');
  constexpr size_t kStateField = 0;
  constexpr size_t kStartField = 19;
  uint64_t ticks = 0;
  if (fields.size() <= kStartField || fields[kStateField] == "Z") return 0;
  return absl::SimpleAtoi(fields[kStartField], &ticks) ? ticks : 0;
}

// Waits until all are gone or the deadline has passed; returns those that are left.
// Polls: these are no children of ours when another trainctl started them.
std::vector<Daemon> WaitForEnd(std::vector<Daemon> daemons, absl::Time deadline) {
  for (;;) {
    for (const Daemon& daemon : daemons) ::waitpid(daemon.pid, nullptr, WNOHANG);  // if it is our child
    daemons.erase(std::remove_if(daemons.begin(), daemons.end(),
                                 [](const Daemon& daemon) { return !daemon.IsAlive(); }),
                  daemons.end());
    if (daemons.empty() || absl::Now() >= deadline) return daemons;
    absl::SleepFor(absl::Milliseconds(20));
  }
}

// Only those that are still the ones we mean.
void SignalAll(const std::vector<Daemon>& daemons, int signal) {
  for (const Daemon& daemon : daemons) {
    if (daemon.IsAlive()) ::kill(daemon.pid, signal);
  }
}

}  // namespace

bool Daemon::IsAlive() const { return start_ticks != 0 && StartTicks(pid) == start_ticks; }

// posix_spawn with everything set before: session, files, signals; no code of ours runs in the child.
absl::StatusOr<Daemon> StartDaemon(const std::string& name, const std::string& program,
                                   const std::vector<std::string>& arguments,
                                   const std::string& log_path) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> words = arguments;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, program.c_str(), &files, &attributes, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return base::ErrnoStatus(error, absl::StrCat("start ", name, " (", program, ", log ", log_path, ")"));
  }
  return Daemon{name, pid, StartTicks(pid)};
}

// All at once, so that the grace is waited for once.
absl::Status StopDaemons(const std::vector<Daemon>& daemons, absl::Duration grace) {
  SignalAll(daemons, SIGTERM);
  std::vector<Daemon> left = WaitForEnd(daemons, absl::Now() + grace);
  SignalAll(left, SIGKILL);
  left = WaitForEnd(left, absl::Now() + absl::Seconds(5));
  if (left.empty()) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat(left.front().name, " (process ", left.front().pid, ") does not end"));
}

std::string FormatDaemons(const std::vector<Daemon>& daemons) {
  std::string text;
  for (const Daemon& daemon : daemons) {
    absl::StrAppend(&text, daemon.name, " ", daemon.pid, " ", daemon.start_ticks, "\n");
  }
  return text;
}

// A damaged line is a process we cannot prove to be ours: left alone.
std::vector<Daemon> ParseDaemons(const std::string& text) {
  std::vector<Daemon> daemons;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    Daemon daemon;
    if (words.size() != 3 || !absl::SimpleAtoi(words[1], &daemon.pid) ||
        !absl::SimpleAtoi(words[2], &daemon.start_ticks) || daemon.pid <= 1) {
      continue;
    }
    daemon.name = words[0];
    daemons.push_back(daemon);
  }
  return daemons;
}

}  // namespace rm::trainctl
