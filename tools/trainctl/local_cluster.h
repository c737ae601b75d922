// A coordinator and workers on this machine, kept in one folder:
//
//   address        where the coordinator listens: gRPC, then HTTP, one a line (trainctl finds the
//                  cluster by it)
//   pids           the processes, as daemon.h writes them
//   lock           held while a command changes the cluster
//   state/         the coordinator's --state; storage/ its --storage
//   worker-<n>/    the workers' --dir
//   coordinator.log, worker-<n>.log
#ifndef RM_TOOLS_TRAINCTL_LOCAL_CLUSTER_H_
#define RM_TOOLS_TRAINCTL_LOCAL_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/trainctl/daemon.h"

namespace rm::trainctl {

struct LocalClusterOptions {
  std::string folder;
  int64_t workers = 2;
  int64_t slots = 1;
  int64_t threads_per_slot = 1;
  std::string listen = "127.0.0.1:0";
  std::string program;  // the daemons' executable; empty: that of this process
};

class LocalCluster {
 public:
  explicit LocalCluster(std::string folder) : folder_(std::move(folder)) {}

  // Starts everything and returns the coordinator's address when every worker is ready; a cluster
  // that runs already is left as it is, one of which a part has died is refused (FailedPrecondition).
  // On a failure or when `interrupted` says so (Cancelled), what was started is stopped again; the
  // error quotes the end of the log.
  [[nodiscard]] absl::StatusOr<std::string> Up(const LocalClusterOptions& options,
                                               const std::function<bool()>& interrupted);

  // Stops what Up started and removes address and pids. OK when nothing runs.
  [[nodiscard]] absl::Status Down();

  // Processes of the cluster that run.
  [[nodiscard]] std::vector<Daemon> Alive() const;
  // All that Up has started and Down has not stopped, alive or not.
  [[nodiscard]] std::vector<Daemon> Recorded() const;

 private:
  // The address of a cluster that runs, "" when none does.
  absl::StatusOr<std::string> RunningAddress() const;
  absl::Status StartCoordinator(const LocalClusterOptions& options);
  absl::Status StartWorkers(const LocalClusterOptions& options, const std::string& address);
  absl::StatusOr<std::string> WaitForAddress(const std::function<bool()>& interrupted) const;
  absl::Status WaitForWorkers(const std::string& address, int64_t workers,
                              const std::function<bool()>& interrupted) const;
  absl::StatusOr<std::string> Start(const LocalClusterOptions& options,
                                    const std::function<bool()>& interrupted);
  absl::Status Remember();
  absl::Status FailureOf(const Daemon& daemon) const;
  [[nodiscard]] std::string PathOf(const std::string& name) const;

  const std::string folder_;
  std::vector<Daemon> started_;
};

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_LOCAL_CLUSTER_H_
