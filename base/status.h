// Status macros and the errors people read.
//
// Every function of ours that can fail returns absl::Status or absl::StatusOr; these two macros
// pass a failure on:
//
//   absl::StatusOr<Manifest> ReadManifest(const FileSystem& files, const std::string& path) {
//     RM_ASSIGN_OR_RETURN(const std::string text, files.ReadFile(path));
//     RM_RETURN_IF_ERROR(CheckVersion(text));
//     return ParseManifest(text);
//   }
//
// The codes carry a fixed meaning throughout the project:
//   InvalidArgument     the user's input is wrong (job file, flag, data): exit code 2
//   NotFound            no such job, file, node: 103 at the CLI
//   FailedPrecondition  the request does not fit the present state (cancel of an ended job)
//   ResourceExhausted   the disk is full, the request can never fit (104 at the CLI)
//   DataLoss            bytes on disk or wire are damaged
//   Unavailable         a peer or daemon cannot be reached (69 at the CLI)
//   Aborted             another rank or generation ended this operation
//   Cancelled, DeadlineExceeded, Internal: as in gRPC
//
// A message is one line that says what was tried, on what, and why it failed, and where it is not
// obvious, what to do. Whoever passes an error on adds what only he knows (Annotate).
#ifndef RM_BASE_STATUS_H_
#define RM_BASE_STATUS_H_

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rm::base {

// A Status made from an errno value: "open /a/b: No space left on device". `what` says what was
// tried and on what ("open /a/b"). 0 is OK. Thread-safe. The codes:
//   ENOENT, ENOTDIR         NotFound (a path below a file does not exist)
//   EEXIST                  AlreadyExists
//   EACCES, EPERM, EROFS    PermissionDenied
//   ENOSPC, EDQUOT          ResourceExhausted
//   EISDIR, ENOTEMPTY       FailedPrecondition
//   EINVAL, ENAMETOOLONG    InvalidArgument
//   any other               Unavailable
[[nodiscard]] absl::Status ErrnoStatus(int error, absl::string_view what);

// The same status with "context: " before its message (code and payloads kept). OK stays OK.
[[nodiscard]] absl::Status Annotate(const absl::Status& status, absl::string_view context);

}  // namespace rm::base

#define RM_CONCAT_INNER_(a, b) a##b
#define RM_CONCAT_(a, b) RM_CONCAT_INNER_(a, b)

// RM_RETURN_IF_ERROR(expression): returns the Status from this function unless it is OK.
#define RM_RETURN_IF_ERROR(expression)        \
  do {                                        \
    ::absl::Status rm_status_ = (expression); \
    if (!rm_status_.ok()) return rm_status_;  \
  } while (false)

// RM_ASSIGN_OR_RETURN(auto x, Make()): x = the value, or returns the error from this function.
// Three statements, so not the body of an `if` without braces. A type with a comma in it needs an
// alias.
#define RM_ASSIGN_OR_RETURN(declaration, expression) \
  RM_ASSIGN_OR_RETURN_INNER_(RM_CONCAT_(rm_status_or_, __LINE__), declaration, expression)
#define RM_ASSIGN_OR_RETURN_INNER_(temporary, declaration, expression) \
  auto temporary = (expression);                                       \
  if (!temporary.ok()) return std::move(temporary).status();           \
  declaration = *std::move(temporary)

#endif  // RM_BASE_STATUS_H_
