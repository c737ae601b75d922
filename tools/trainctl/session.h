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

// Adds them to a subcommand's own.
void AddCommonFlags(base::FlagSet& flags, CommonFlags* common);

// Where the coordinator is: -c, else RINGMASTER_COORDINATOR, else `coordinator:` of ~/.config/ringmaster/config.yaml, else
// the local cluster's address file. Unavailable, with the ways to name one, when none of them is there.
[[nodiscard]] absl::StatusOr<std::string> ResolveCoordinator(const std::string& flag);

// The folder of the local cluster when --dir does not name one.
[[nodiscard]] std::string DefaultClusterFolder();

// Takes SIGINT and SIGTERM away from their default for its lifetime: they set interrupted() and end the client's calls.
// One at a time.
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

  std::atomic<client::Client*> shared_{nullptr};
  std::unique_ptr<client::Client> client_;
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> over_{false};
  std::thread watcher_;
};

// Prints "trainctl: message" on standard error, with the lines of an invalid job, and returns the exit code.
int Complain(const absl::Status& status);

// Asks "question [y/N]" on the terminal; true with -y. Off a terminal, without -y: InvalidArgument saying so.
[[nodiscard]] absl::StatusOr<bool> Confirm(const CommonFlags& common, const std::string& question);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_SESSION_H_
