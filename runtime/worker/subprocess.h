// A child process that cannot outlive its parent, cannot be lost, and is gone as a whole when it is gone.
//
// The child gets a session and process group of its own (a terminal's Ctrl-C does not reach it), PR_SET_PDEATHSIG = SIGKILL,
// only the descriptors it is given, and is watched through a pidfd: no SIGCHLD handler, no race with reused pids.
#ifndef RM_RUNTIME_WORKER_SUBPROCESS_H_
#define RM_RUNTIME_WORKER_SUBPROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rm::worker {

struct SubprocessSpec {
  std::string program;                   // path of the executable
  std::vector<std::string> arguments;    // argv, argv[0] included
  std::vector<std::string> environment;  // NAME=VALUE, on top of this process's own
  int inherited_fd = -1;                 // becomes descriptor 3 of the child; −1: none
  int output_fd = -1;                    // becomes standard output and error; −1: those of this process
};

// How a process ended: by exit(code), or by a signal (then code is 0).
struct Exit {
  int code = 0;
  int signal = 0;
  int64_t peak_memory = 0;  // bytes of it that were resident at most, as the kernel counted
  [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
  // "exit code 3", "signal 9 (Killed)".
  [[nodiscard]] std::string ToString() const;
};

// Thread-compatible. The destructor kills what still runs and reaps it.
class Subprocess {
 public:
  // Starts the program. The calling thread must live as long as the child may: PR_SET_PDEATHSIG is about the thread that
  // made the child, not its process, so when that thread ends the kernel kills the child.
  // NotFound or PermissionDenied when the program cannot be executed. `inherited_fd` and `output_fd` stay open here.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Subprocess>> Start(
      const SubprocessSpec& spec);
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Readable (poll) once the process has ended. Owned by this object.
  [[nodiscard]] int pidfd() const { return pidfd_; }

  // How it ended, waiting at most `timeout`; nothing when it still runs. Once it has ended every process of its group is
  // killed too, so that nothing of it is left. May be called again; returns the same.
  std::optional<Exit> Wait(absl::Duration timeout);

  // Sends a signal to the process itself. Nothing happens when it has ended.
  void Signal(int signal);
  // SIGKILL to the whole process group. Wait then returns soon.
  void Kill();

 private:
  Subprocess(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

  const pid_t pid_;
  const int pidfd_;
  std::optional<Exit> exit_;
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_SUBPROCESS_H_
