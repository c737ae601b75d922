#include "base/status.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "absl/strings/cord.h"

namespace rm::base {
namespace {

TEST_CASE("ErrnoStatus says what was tried and why it failed, with the code of its table") {
  struct Case {
    int error;
    absl::StatusCode code;
    std::string message;
  };
  const Case cases[] = {
      {ENOENT, absl::StatusCode::kNotFound, "open /a: No such file or directory"},
      {ENOTDIR, absl::StatusCode::kNotFound, "open /a: Not a directory"},
      {EACCES, absl::StatusCode::kPermissionDenied, "open /a: Permission denied"},
      {EPERM, absl::StatusCode::kPermissionDenied, "open /a: Operation not permitted"},
      {EROFS, absl::StatusCode::kPermissionDenied, "open /a: Read-only file system"},
      {ENOSPC, absl::StatusCode::kResourceExhausted, "open /a: No space left on device"},
      {EDQUOT, absl::StatusCode::kResourceExhausted, "open /a: Disk quota exceeded"},
      {EEXIST, absl::StatusCode::kAlreadyExists, "open /a: File exists"},
      {EISDIR, absl::StatusCode::kFailedPrecondition, "open /a: Is a directory"},
      {ENOTEMPTY, absl::StatusCode::kFailedPrecondition, "open /a: Directory not empty"},
      {EINVAL, absl::StatusCode::kInvalidArgument, "open /a: Invalid argument"},
      {ENAMETOOLONG, absl::StatusCode::kInvalidArgument, "open /a: File name too long"},
      {EIO, absl::StatusCode::kUnavailable, "open /a: Input/output error"},
      {ECONNREFUSED, absl::StatusCode::kUnavailable, "open /a: Connection refused"},
      {99999, absl::StatusCode::kUnavailable, "open /a: Unknown error 99999"},
  };
  for (const Case& c : cases) {
    const absl::Status status = ErrnoStatus(c.error, "open /a");
    CAPTURE(c.error);
    CHECK(status.code() == c.code);
    CHECK(status.message() == c.message);
  }
}

TEST_CASE("ErrnoStatus of no error is OK") { CHECK(ErrnoStatus(0, "open /a").ok()); }

TEST_CASE("Annotate puts the context before the message and keeps code and payloads") {
  absl::Status status = absl::DataLossError("block 3 is damaged");
  status.SetPayload("ringmaster/file", absl::Cord("weights.safetensors"));
  const absl::Status annotated = Annotate(status, "step 7");
  CHECK(annotated.code() == absl::StatusCode::kDataLoss);
  CHECK(annotated.message() == "step 7: block 3 is damaged");
  REQUIRE(annotated.GetPayload("ringmaster/file").has_value());
  CHECK(*annotated.GetPayload("ringmaster/file") == "weights.safetensors");
}

TEST_CASE("Annotate leaves OK alone") { CHECK(Annotate(absl::OkStatus(), "step 7").ok()); }

// One that returns early on an error, and counts how far it came.
absl::Status Pass(const absl::Status& first, int* reached) {
  RM_RETURN_IF_ERROR(first);
  ++*reached;
  RM_RETURN_IF_ERROR(absl::OkStatus());
  ++*reached;
  return absl::OkStatus();
}

TEST_CASE("RM_RETURN_IF_ERROR goes on after OK and returns anything else") {
  int reached = 0;
  CHECK(Pass(absl::OkStatus(), &reached).ok());
  CHECK(reached == 2);
  reached = 0;
  CHECK(Pass(absl::NotFoundError("gone"), &reached) == absl::NotFoundError("gone"));
  CHECK(reached == 0);
}

// The sum of two numbers that may be missing.
absl::StatusOr<int> Sum(absl::StatusOr<int> a, absl::StatusOr<int> b) {
  RM_ASSIGN_OR_RETURN(int sum, a);
  int other = 0;
  RM_ASSIGN_OR_RETURN(other, b);
  sum += other;
  return sum;
}

TEST_CASE("RM_ASSIGN_OR_RETURN declares or assigns, and returns the first error") {
  REQUIRE(Sum(1, 2).ok());
  CHECK(*Sum(1, 2) == 3);
  CHECK(Sum(absl::AbortedError("left"), 2).status() == absl::AbortedError("left"));
  CHECK(Sum(1, absl::AbortedError("right")).status() == absl::AbortedError("right"));
}

absl::StatusOr<std::unique_ptr<int>> MoveOnly() {
  RM_ASSIGN_OR_RETURN(std::unique_ptr<int> value,
                      absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(7)));
  return value;
}

TEST_CASE("RM_ASSIGN_OR_RETURN moves what cannot be copied") {
  REQUIRE(MoveOnly().ok());
  CHECK(**MoveOnly() == 7);
}

}  // namespace
}  // namespace rm::base
