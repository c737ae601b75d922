#include "tools/trainctl/exit_code.h"

#include <catch2/catch.hpp>

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;

TEST_CASE("a failed call exits with the code that scripts rely on") {
  const struct {
    absl::StatusCode status;
    int exit_code;
  } cases[] = {
      {absl::StatusCode::kOk, 0},
      {absl::StatusCode::kInvalidArgument, 2},
      {absl::StatusCode::kUnavailable, 69},
      {absl::StatusCode::kDeadlineExceeded, 69},
      {absl::StatusCode::kPermissionDenied, 77},
      {absl::StatusCode::kUnauthenticated, 77},
      {absl::StatusCode::kNotFound, 102},
      {absl::StatusCode::kResourceExhausted, 104},
      {absl::StatusCode::kCancelled, 130},
      {absl::StatusCode::kFailedPrecondition, 1},
      {absl::StatusCode::kInternal, 1},
      {absl::StatusCode::kUnknown, 1},
      {absl::StatusCode::kUnimplemented, 1},
  };
  for (const auto& c : cases) {
    CAPTURE(c.status);
    CHECK(ExitCodeOf(absl::Status(c.status, "message")) == c.exit_code);
  }
}

TEST_CASE("what goes wrong on this machine is a failure, whatever its code looks like") {
  const struct {
    absl::Status status;
    int exit_code;
  } cases[] = {
      {absl::OkStatus(), 0},
      {absl::NotFoundError("no file"), 1},
      {absl::ResourceExhaustedError("disk full"), 1},
      {absl::UnavailableError("I/O error"), 1},
      {absl::PermissionDeniedError("not yours"), 1},
      {absl::DeadlineExceededError("does not come up"), 1},
      {absl::CancelledError("interrupted"), 130},
      {absl::InvalidArgumentError("--dir"), 2},
  };
  for (const auto& c : cases) {
    const absl::Status local = LocalError(c.status);
    CAPTURE(c.status.ToString());
    CHECK(ExitCodeOf(local) == c.exit_code);
    CHECK(local.message() == c.status.message());
  }
}

TEST_CASE("following a job exits with how it ended") {
  const struct {
    pb::JobState state;
    int exit_code;
  } cases[] = {{pb::SUCCEEDED, 0}, {pb::FAILED, 100}, {pb::CANCELLED, 103}, {pb::RUNNING, 1}};
  for (const auto& c : cases) {
    CAPTURE(c.state);
    CHECK(ExitCodeOf(c.state) == c.exit_code);
  }
}

}  // namespace
}  // namespace rm::trainctl
