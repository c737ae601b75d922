// An invalid job as google.rpc.Status carries it: BadRequest with one violation a field.
#ifndef RM_RUNTIME_COORDINATOR_SPEC_ERRORS_H_
#define RM_RUNTIME_COORDINATOR_SPEC_ERRORS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/api.pb.h"
#include "runtime/jobspec/diagnostic.h"

namespace rm::coordinator {

// Type URL of the payload (absl::Status::GetPayload) that holds a serialised BadRequest.
inline constexpr absl::string_view kBadRequestUrl = "type.googleapis.com/google.rpc.BadRequest";

// InvalidArgument with all diagnostics as field violations, each description beginning with
// "line:column: " where there is a place. REQUIRES: not empty. Pure.
[[nodiscard]] absl::Status SpecError(absl::Span<const jobspec::Diagnostic> diagnostics);

// Fills the defaults of the request's spec and checks it, without looking at the cluster. OK, or
// SpecError. Thread-safe.
[[nodiscard]] absl::Status CheckSubmission(::ringmaster::v1::SubmitRequest* request);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_SPEC_ERRORS_H_
