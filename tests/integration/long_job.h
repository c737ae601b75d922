// A job whose whole course can be compared with that of another: it goes on until it is stopped, however fast the machine
// is, is evaluated at fixed steps, saves often, and learns slowly enough that a step too few, too many or twice would show
// in every later number.
#ifndef RM_TESTS_INTEGRATION_LONG_JOB_H_
#define RM_TESTS_INTEGRATION_LONG_JOB_H_

#include <cstdint>
#include <map>
#include <string>

#include "tests/integration/test_cluster.h"

namespace rm::integration {

struct LongJob {
  std::string name = "long";
  int ranks = 2;
  int64_t steps = 100000000;  // for ever
  int64_t save_every = 100;
  std::string flags;  // more of `trainctl submit`
};

// Submits it; jobs that differ in name, steps and scheduling only train the same thing.
[[nodiscard]] std::string SubmitLong(const TestCluster& cluster, const LongJob& job);

// What a job learnt and how: its last step, the digest of the weights it had then, and the validation loss of each step it
// was evaluated at (as the last generation that came by measured it).
struct Course {
  int64_t step = 0;
  std::string weights_sha256;
  std::map<int64_t, double> losses;
};

// Cancels the job, once it has trained for long enough to be compared, waits for its end and reads its last checkpoint,
// every byte of it checked.
[[nodiscard]] Course StopAndRead(const TestCluster& cluster, const std::string& id);

// Trains `job` again, undisturbed, to the step that `disturbed` ended at, and fails the test unless both saw the same losses
// (up to rounding) at the same steps, and ended with the same bits.
void CheckAgainstUndisturbed(const TestCluster& cluster, LongJob job, const Course& disturbed);

// True while the job trains as this generation.
[[nodiscard]] bool Runs(const pb::Job& job, int64_t generation);

}  // namespace rm::integration

#endif  // RM_TESTS_INTEGRATION_LONG_JOB_H_
