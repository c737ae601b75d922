// A real cluster for a test: the ringmaster binary's own daemons, in a folder of the test's, on free ports.
#ifndef RM_TESTS_INTEGRATION_TEST_CLUSTER_H_
#define RM_TESTS_INTEGRATION_TEST_CLUSTER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/json.h"
#include "base/temporary_folder.h"
#include "runtime/client/client.h"
#include "tests/integration/child.h"

namespace rm::integration {

namespace pb = ::ringmaster::v1;

// How a command ended and what it printed.
struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// Starts with `trainctl cluster up`, ends with `trainctl cluster down`; whatever a test started besides is killed by its pid.
// Holds a data set of 96 training and 30 validation images in 6 classes that an mlp learns in a few steps. At its end
// nothing may be left: a process that still runs, or a temporary file in the storage, fails the test.
class TestCluster {
 public:
  explicit TestCluster(int workers = 2, int slots = 1);
  ~TestCluster();
  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  // Runs `trainctl <arguments>` against this cluster; the arguments are shell words.
  [[nodiscard]] Outcome Trainctl(const std::string& arguments) const;
  // The same in the background, both outputs to File(<name>.out). Belongs to the cluster.
  Child& TrainctlInBackground(const std::string& arguments, const std::string& name);

  // Writes a job file and returns its path. `extra` lines are appended to the train block ("  steps: 10").
  [[nodiscard]] std::string JobFile(const std::string& name, int ranks,
                                    const std::string& train_lines) const;

  // Submits a job file and returns the job's id.
  [[nodiscard]] std::string Submit(const std::string& file, const std::string& flags = "") const;
  // The job as the API has it.
  [[nodiscard]] base::Json Job(const std::string& id) const;
  // Waits until `wanted` holds for the job; fails the test after a minute.
  base::Json WaitFor(const std::string& id, const std::function<bool(const base::Json&)>& wanted) const;

  // The same by the API alone, looked at every 20 ms; answers only while the coordinator is there, so the job is waited for
  // across its absence. Fails the test after `patience`.
  pb::Job Await(const std::string& id, const std::function<bool(const pb::Job&)>& wanted,
                absl::Duration patience = absl::Seconds(90)) const;
  // Waits for the job's end.
  pb::Job AwaitEnd(const std::string& id) const;
  // Waits until so many workers are in this state.
  void AwaitWorkers(pb::WorkerState state, int count) const;

  // The public API. Outlives the coordinator: calls fail while it is away.
  [[nodiscard]] client::Client& client() const { return *client_; }

  // kill -9 of a daemon ("coordinator", "worker-1"): gone when this returns.
  void Kill(const std::string& daemon);
  void KillCoordinator() { Kill("coordinator"); }
  // The same daemon again, with the same address, folder and flags, and `flags` besides.
  void RestartCoordinator(const std::vector<std::string>& flags = {});
  // `before` are words in front of the worker's command line: a program that starts it elsewhere, in a cgroup for example.
  void RestartWorker(int number, const std::vector<std::string>& before = {});

  // The daemon's process; of the one that was started last.
  [[nodiscard]] int PidOf(const std::string& daemon) const;

  // Pids of the rank processes of a job that run now, by rank.
  [[nodiscard]] std::vector<int> RankPids(const std::string& id) const;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string File(const std::string& name) const { return temporary_.File(name); }
  [[nodiscard]] const std::string& address() const { return address_; }
  // Daemons and ranks of this cluster that run, by the environment they inherited.
  [[nodiscard]] std::vector<int> ProcessesOfFolder() const;
  // Files and folders that a save makes first and renames later.
  [[nodiscard]] std::vector<std::string> TemporaryFiles() const;

 private:
  void Restart(const std::string& daemon, const std::vector<std::string>& words);

  const int slots_;
  base::TemporaryFolder temporary_;
  std::string folder_;
  std::string address_;
  std::unique_ptr<client::Client> client_;
  std::map<std::string, int> pids_;
  std::map<std::string, std::unique_ptr<Child>> restarted_;
  std::vector<std::unique_ptr<Child>> background_;
};

// The multi-call binary, as an absolute path.
[[nodiscard]] std::string Program();

// Runs a shell command to its end.
[[nodiscard]] Outcome RunShell(const std::string& command, const std::string& scratch_folder);

// Member `key` of an object as text ("" when missing); numbers as they are written.
[[nodiscard]] std::string Text(const base::Json& object, const std::string& key);

}  // namespace rm::integration

#endif  // RM_TESTS_INTEGRATION_TEST_CLUSTER_H_
