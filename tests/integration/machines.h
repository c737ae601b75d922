// Two machines on one: network, mount and host name spaces of their own, joined by a cable (a veth pair) that can be pulled.
// Made for a test, gone with it. Needs root, or a kernel that gives plain users namespaces; and iproute2.
#ifndef RM_TESTS_INTEGRATION_MACHINES_H_
#define RM_TESTS_INTEGRATION_MACHINES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "base/temporary_folder.h"
#include "tests/integration/child.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {

// One of the two. Files are those of the real machine except where something was mounted over them.
class Machine {
 public:
  // `holder` is a process in the namespaces; they live as long as anything in them does.
  Machine(std::string name, std::string address, std::unique_ptr<Child> holder, bool own_users);

  [[nodiscard]] const std::string& name() const { return name_; }        // its host name
  [[nodiscard]] const std::string& address() const { return address_; }  // on the cable
  [[nodiscard]] int holder() const { return holder_->pid(); }

  // `words` as a command that runs on this machine, with the pid of the program itself.
  [[nodiscard]] std::vector<std::string> Words(const std::vector<std::string>& words) const;
  // Runs a shell command there.
  [[nodiscard]] Outcome Run(const std::string& command) const;
  // Hides what is in this folder from the machine: an empty file system lies over it. False when that is not permitted.
  [[nodiscard]] bool Hide(const std::string& folder) const;

 private:
  std::string name_;
  std::string address_;
  std::unique_ptr<Child> holder_;
  bool own_users_;
};

// Machines "alpha" (10.77.0.1) and "beta" (10.77.0.2), and a cluster over them: the coordinator on alpha, a worker on each
// where started. Both see the same files, <folder>/storage included, until Hide.
class TwoMachines {
 public:
  // The reason, in one sentence, when this machine does not permit it.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TwoMachines>> Make();
  // Ends the daemons as an operator does; fails the test when anything is left.
  ~TwoMachines();
  TwoMachines(const TwoMachines&) = delete;
  TwoMachines& operator=(const TwoMachines&) = delete;

  [[nodiscard]] Machine& alpha() { return *alpha_; }
  [[nodiscard]] Machine& beta() { return *beta_; }
  [[nodiscard]] std::string File(const std::string& name) const { return folder_.File(name); }
  [[nodiscard]] const std::string& coordinator() const { return coordinator_; }  // "10.77.0.1:40001"

  // Starts the coordinator on alpha, storage in <folder>/storage, and waits until it serves.
  void StartCoordinator(const std::vector<std::string>& flags = {});
  // Starts a worker "worker-<name of the machine>".
  // With the label machine=<its name>.
  void StartWorker(Machine& machine, int slots);
  // Waits until so many workers are in this state ("READY").
  void AwaitWorkers(const std::string& state, int count);

  // `trainctl <arguments>` on alpha.
  [[nodiscard]] Outcome Trainctl(const std::string& arguments) const;
  // The job as the API has it; and until `wanted` holds for it.
  [[nodiscard]] base::Json Job(const std::string& id) const;
  base::Json Await(const std::string& id, const std::function<bool(const base::Json&)>& wanted) const;

  // Pulls the cable, or puts it in again.
  void SetCable(bool plugged);

 private:
  TwoMachines() = default;

  base::TemporaryFolder folder_;
  std::unique_ptr<Machine> alpha_;
  std::unique_ptr<Machine> beta_;
  std::string coordinator_;
  std::vector<std::unique_ptr<Child>> daemons_;
};

}  // namespace rm::integration

#endif  // RM_TESTS_INTEGRATION_MACHINES_H_
