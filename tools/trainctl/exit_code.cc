#include "tools/trainctl/exit_code.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk: return kDone;
    case absl::StatusCode::kInvalidArgument: return kUsage;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded: return kUnreachable;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated: return kNotPermitted;
    case absl::StatusCode::kNotFound: return kNotFound;
    case absl::StatusCode::kResourceExhausted: return kImpossible;
    case absl::StatusCode::kCancelled: return kInterrupted;
    default: return kFailed;
  }
}

absl::Status LocalError(const absl::Status& status) {
  if (status.ok() || absl::IsCancelled(status) || absl::IsInvalidArgument(status)) return status;
  return absl::InternalError(status.message());
}

int ExitCodeOf(pb::JobState state) {
  switch (state) {
    case pb::SUCCEEDED: return kDone;
    case pb::FAILED: return kJobFailed;
    case pb::CANCELLED: return kJobCancelled;
    default: return kFailed;
  }
}

}  // namespace rm::trainctl
