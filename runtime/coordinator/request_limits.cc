// Refusals name the field and the size, and never repeat what was sent: an error is no way to have
// us send eight megabytes back, or write control characters into somebody's terminal.
#include "runtime/coordinator/request_limits.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// Where a negative number could only be a mistake: it is said, and not taken for 0.
absl::Status NotNegative(absl::string_view field, double value) {
  if (value >= 0) return absl::OkStatus();  // NaN is not
  return absl::InvalidArgumentError(absl::StrCat(field, " must not be negative, it is ", value));
}

}  // namespace

absl::Status CheckName(absl::string_view field, absl::string_view text) {
  if (text.size() > kNameBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(field, " has ", text.size(),
                                                   " bytes; at most ", kNameBytesMax,
                                                   " are allowed"));
  }
  const bool is_plain = std::none_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  if (is_plain) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " has control characters"));
}

// The spec itself is checked field by field by jobspec::Validate; here it is only kept from being
// so large that checking it is the attack.
absl::Status CheckLimits(const pb::SubmitRequest& request) {
  const size_t bytes = request.ByteSizeLong();
  if (bytes > kSubmissionBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the submission has ", bytes,
                                                   " bytes; at most ", kSubmissionBytesMax,
                                                   " are allowed"));
  }
  RM_RETURN_IF_ERROR(CheckName("request_id", request.request_id()));
  return CheckName("user", request.user());
}

// proto3 lets any number through where an enum stands.
absl::Status CheckLimits(const pb::ListJobsRequest& request) {
  RM_RETURN_IF_ERROR(NotNegative("page_size", request.page_size()));
  RM_RETURN_IF_ERROR(CheckName("page_token", request.page_token()));
  if (pb::JobState_IsValid(request.state())) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("there is no job state ", static_cast<int>(request.state())));
}

absl::Status CheckLimits(const pb::LogsRequest& request) {
  RM_RETURN_IF_ERROR(NotNegative("rank", request.rank()));
  RM_RETURN_IF_ERROR(NotNegative("tail", request.tail()));
  return NotNegative("since_seconds", request.since_seconds());
}

absl::Status CheckLimits(const pb::VerifyRequest& request) {
  return NotNegative("step", static_cast<double>(request.step()));
}

absl::Status CheckLimits(const pb::DownloadRequest& request) {
  return NotNegative("step", static_cast<double>(request.step()));
}

// What a worker says of itself is kept in the journal and shown to everyone who lists the nodes.
absl::Status CheckLimits(const pb::Hello& hello) {
  if (hello.worker_id().empty()) return absl::InvalidArgumentError("the worker has no id");
  RM_RETURN_IF_ERROR(CheckName("worker_id", hello.worker_id()));
  RM_RETURN_IF_ERROR(CheckName("host", hello.host()));
  RM_RETURN_IF_ERROR(CheckName("version", hello.version()));
  RM_RETURN_IF_ERROR(CheckName("advertise_host", hello.advertise_host()));
  if (hello.labels_size() > kLabelsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the worker has ", hello.labels_size(), " labels; at most ", kLabelsMax,
                     " are allowed"));
  }
  for (const auto& [name, value] : hello.labels()) {
    RM_RETURN_IF_ERROR(CheckName("a label", name));
    RM_RETURN_IF_ERROR(CheckName("a label", value));
  }
  return absl::OkStatus();
}

}  // namespace rm::coordinator
