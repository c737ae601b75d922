// Exit codes of trainctl: stable, so that scripts can tell what happened.
#ifndef RM_TOOLS_TRAINCTL_EXIT_CODE_H_
#define RM_TOOLS_TRAINCTL_EXIT_CODE_H_

#include "absl/status/status.h"
#include "proto/scheduler.pb.h"

namespace rm::trainctl {

enum ExitCode : int {
  kDone = 0,            // with --wait or --follow: the job succeeded
  kFailed = 1,          // the operation failed
  kUsage = 2,           // usage or job-file error
  kUnreachable = 69,    // no coordinator answers
  kNotPermitted = 77,
  kJobFailed = 100,
  kWaitTimedOut = 101,
  kNotFound = 102,
  kJobCancelled = 103,
  kImpossible = 104,    // resources that the cluster does not have
  kQuota = 105,
  kInterrupted = 130,
};

// What a failed call to the coordinator exits with.
[[nodiscard]] int ExitCodeOf(const absl::Status& status);

// The error of something done on this machine (a file, a process), so that its code does not pass
// for one of the coordinator's: a full disk is no impossible job. Cancelled and InvalidArgument stay
// as they are, all else exits with kFailed.
[[nodiscard]] absl::Status LocalError(const absl::Status& status);

// What following a job to this final state exits with.
[[nodiscard]] int ExitCodeOf(ringmaster::v1::JobState state);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_EXIT_CODE_H_
