// What a request may hold, whatever sent it: checked before anything else looks at it, so that no
// nonsense goes far enough to be kept in the journal, sorted, or echoed at length.
//
//   text that is a name (job ids and their beginnings, request ids, users, worker ids)   256 bytes
//   a submission with its source positions                                               4 MiB
//   labels of a worker                                                                   1000
//   slots of a worker                          the scheduler's own limit, checked by it
//
// Sums: a job file has at most 1 MiB, and each of its values has a source position of about its
// own size; ids that we make have at most 63 bytes; all messages are at most 16 MiB (gRPC's limit).
//
// Pure, thread-safe. All answers are InvalidArgument: one line that names the field.
#ifndef RM_RUNTIME_COORDINATOR_REQUEST_LIMITS_H_
#define RM_RUNTIME_COORDINATOR_REQUEST_LIMITS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/api.pb.h"
#include "proto/worker.pb.h"

namespace rm::coordinator {

inline constexpr size_t kNameBytesMax = 256;
inline constexpr size_t kSubmissionBytesMax = 4 << 20;
inline constexpr int kLabelsMax = 1000;

// A name that may be empty: short, and without characters that would disturb a log or a terminal.
// Bytes above 0x7f are allowed: protobuf has checked that they are UTF-8.
[[nodiscard]] absl::Status CheckName(absl::string_view field, absl::string_view text);

// One a request that holds more than a job's id. Sizes, and numbers that can mean nothing.
[[nodiscard]] absl::Status CheckLimits(const ::ringmaster::v1::SubmitRequest& request);
[[nodiscard]] absl::Status CheckLimits(const ::ringmaster::v1::ListJobsRequest& request);
[[nodiscard]] absl::Status CheckLimits(const ::ringmaster::v1::LogsRequest& request);
[[nodiscard]] absl::Status CheckLimits(const ::ringmaster::v1::VerifyRequest& request);
[[nodiscard]] absl::Status CheckLimits(const ::ringmaster::v1::DownloadRequest& request);
// The names in a Hello; its id must not be empty.
[[nodiscard]] absl::Status CheckLimits(const ::ringmaster::v1::Hello& hello);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_REQUEST_LIMITS_H_
