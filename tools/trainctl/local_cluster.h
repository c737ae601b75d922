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

  // Starts everything and returns the coordinator's address when every worker is ready. A cluster
  // that runs already is left as it is. One of which a part has died is mended: only that part is
  // started again, with these options, a coordinator at the address it had, so that the others and
  // whatever they run find it and go on. On a failure or when `interrupted` says so (Cancelled),
  // what this call started is stopped again and nothing else; the error quotes the end of the log.
  [[nodiscard]] absl::StatusOr<std::string> Up(const LocalClusterOptions& options,
                                               const std::function<bool()>& interrupted);

  // Stops what Up started and removes address and pids. OK when nothing runs.
  [[nodiscard]] absl::Status Down();

  // Processes of the cluster that run.
  [[nodiscard]] std::vector<Daemon> Alive() const;
  // All that Up has started and Down has not stopped, alive or not.
  [[nodiscard]] std::vector<Daemon> Recorded() const;
  // Those of them that have died; empty, too, when all have: then there is no cluster to mend.
  [[nodiscard]] std::vector<Daemon> Missing() const;

 private:
  // The coordinator's, as the folder remembers it.
  absl::StatusOr<std::string> RecordedAddress() const;
  // Starts the daemon of that name, "coordinator" or "worker-1". `address` is the coordinator's:
  // where it shall listen, or where a worker dials.
  absl::StatusOr<Daemon> Launch(const std::string& name, const LocalClusterOptions& options,
                                const std::string& address) const;
  absl::StatusOr<std::string> WaitForAddress(const std::function<bool()>& interrupted) const;
  absl::Status WaitForWorkers(const std::string& address, int64_t workers,
                              const std::function<bool()>& interrupted) const;
  absl::StatusOr<std::string> Start(const LocalClusterOptions& options,
                                    const std::function<bool()>& interrupted);
  absl::StatusOr<std::string> Mend(const LocalClusterOptions& options,
                                   const std::function<bool()>& interrupted);
  // Stops what this call started; `before` is what was recorded when it began.
  void Undo(const std::vector<Daemon>& before);
  absl::Status Remember() const;
  absl::Status FailureOf(const Daemon& daemon) const;
  [[nodiscard]] std::string PathOf(const std::string& name) const;

  const std::string folder_;
  std::vector<Daemon> started_;  // the whole cluster while Up works on it, the coordinator first
};

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_LOCAL_CLUSTER_H_
