// What every subcommand has in common: the coordinator, the output format, and a Ctrl-C that is never a surprise.
#ifndef RM_TOOLS_TRAINCTL_SESSION_H_
#define RM_TOOLS_TRAINCTL_SESSION_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/flags.h"
#include "runtime/client/client.h"

namespace rm::trainctl {

// Flags that every subcommand takes.
struct CommonFlags {
  std::string coordinator;       // -c
  std::string output = "table";  // -o
  bool yes = false;              // -y
};

// Adds them to a subcommand's own. A subcommand that makes a file takes its path by --output; the
// form of its answer is then -o alone, or --form.
void AddCommonFlags(base::FlagSet& flags, CommonFlags* common, bool output_is_a_file = false);

// Where the coordinator is: -c, else RINGMASTER_COORDINATOR, else `coordinator:` of
// ~/.config/ringmaster/config.yaml ($XDG_CONFIG_HOME), else the local cluster's address file.
// Unavailable, with the ways to name one, when none of them is there; InvalidArgument, with the place
// it came from, when it is no address.
[[nodiscard]] absl::StatusOr<std::string> ResolveCoordinator(const std::string& flag);

// The folder of the local cluster when --dir does not name one.
[[nodiscard]] std::string DefaultClusterFolder();

// Takes SIGINT and SIGTERM away from their default: they set interrupted() and end the client's
// calls, a second one ends the process at once. One at a time; make it before any other thread.
class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The client of the coordinator that `common` names. Lives as long as the session.
  [[nodiscard]] absl::StatusOr<client::Client*> Connect(const CommonFlags& common);

  [[nodiscard]] bool interrupted() const { return interrupted_; }

 private:
  void WaitForSignal();

  std::unique_ptr<client::Client> client_;
  std::atomic<client::Client*> shared_{nullptr};  // client_, for the watcher
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> over_{false};
  std::thread watcher_;
};

// The value of a config file's line `coordinator: value`, without quotes and comment; "" when there
// is none. Only this much YAML is understood. Pure.
[[nodiscard]] std::string CoordinatorOfConfig(const std::string& text);

// Prints "trainctl: message" on standard error, with the violations of an invalid request, and
// returns the exit code. Cancelled prints nothing: who interrupts knows.
int Complain(const absl::Status& status);

// The same for a call about one job: there InvalidArgument means an id that is none, or that several
// jobs begin with. That is a failure, and no mistake in the usage.
int ComplainOfJob(const absl::Status& status);

// Asks "question [y/N]" on the terminal; true with -y. Off a terminal, without -y: InvalidArgument
// saying so.
[[nodiscard]] absl::StatusOr<bool> Confirm(const CommonFlags& common, const std::string& question);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_SESSION_H_
