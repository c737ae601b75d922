// Daemons of a local cluster: started detached, remembered by more than a number, stopped for certain.
#ifndef RM_TOOLS_TRAINCTL_DAEMON_H_
#define RM_TOOLS_TRAINCTL_DAEMON_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rm::trainctl {

// A process and the moment it started: a pid that was used again is not taken for it.
struct Daemon {
  std::string name;         // "coordinator", "worker-1"
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // field 22 of /proc/<pid>/stat

  [[nodiscard]] bool IsAlive() const;
};

// Starts a program in a session of its own, input closed and output appended to `log_path`, with no
// other descriptor of ours; it outlives this process.
[[nodiscard]] absl::StatusOr<Daemon> StartDaemon(const std::string& name,
                                                 const std::string& program,
                                                 const std::vector<std::string>& arguments,
                                                 const std::string& log_path);

// SIGTERM to all at once, then waits until they are gone; what is left after `grace` gets SIGKILL.
// DeadlineExceeded, naming it, when a process does not go even then. Processes that only look like
// one of them (a pid that was used again) are not touched.
[[nodiscard]] absl::Status StopDaemons(const std::vector<Daemon>& daemons, absl::Duration grace);

// The list as it is kept in a cluster's folder: "name pid start_ticks" a line; and back (damaged lines are left out).
[[nodiscard]] std::string FormatDaemons(const std::vector<Daemon>& daemons);
[[nodiscard]] std::vector<Daemon> ParseDaemons(const std::string& text);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_DAEMON_H_
