// A real cluster for a test: the ringmaster binary's own daemons, in a folder of the test's, on free ports.
#ifndef RM_TESTS_INTEGRATION_TEST_CLUSTER_H_
#define RM_TESTS_INTEGRATION_TEST_CLUSTER_H_

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/temporary_folder.h"

namespace rm::integration {

// How a command ended and what it printed.
struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// Starts with `trainctl cluster up`, ends with `trainctl cluster down`; whatever a test started besides is killed by its pid.
// Holds a data set of 96 training and 30 validation images in 6 classes that an mlp learns in a few steps.
class TestCluster {
 public:
  explicit TestCluster(int workers = 2, int slots = 1);
  ~TestCluster();
  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  // Runs `trainctl <arguments>` against this cluster; the arguments are shell words.
  [[nodiscard]] Outcome Trainctl(const std::string& arguments) const;
  // The same in the background, output to <name>.out and <name>.err; returns the pid.
  [[nodiscard]] int TrainctlInBackground(const std::string& arguments, const std::string& name);

  // Writes a job file and returns its path. `extra` lines are appended to the train block ("  steps: 10").
  [[nodiscard]] std::string JobFile(const std::string& name, int ranks,
                                    const std::string& train_lines) const;

  // Submits a job file and returns the job's id.
  [[nodiscard]] std::string Submit(const std::string& file, const std::string& flags = "") const;
  // The job as the API has it.
  [[nodiscard]] base::Json Job(const std::string& id) const;
  // Waits until `wanted` holds for the job; fails the test after a minute.
  base::Json WaitFor(const std::string& id, const std::function<bool(const base::Json&)>& wanted) const;

  // kill -9 of the coordinator, and the same one again on the same address.
  void KillCoordinator();
  void RestartCoordinator();

  // Pids of the rank processes of a job that run now, by rank.
  [[nodiscard]] std::vector<int> RankPids(const std::string& id) const;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string File(const std::string& name) const { return temporary_.File(name); }
  [[nodiscard]] const std::string& address() const { return address_; }
  // Processes whose command line or environment names this cluster's folder.
  [[nodiscard]] std::vector<int> ProcessesOfFolder() const;

 private:
  base::TemporaryFolder temporary_;
  std::string folder_;
  std::string address_;
  std::vector<int> extra_pids_;
};

// Runs a shell command to its end.
[[nodiscard]] Outcome RunShell(const std::string& command, const std::string& scratch_folder);

// Member `key` of an object as text ("" when missing); numbers as they are written.
[[nodiscard]] std::string Text(const base::Json& object, const std::string& key);

}  // namespace rm::integration

#endif  // RM_TESTS_INTEGRATION_TEST_CLUSTER_H_
