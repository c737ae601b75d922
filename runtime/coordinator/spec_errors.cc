// The client sent where each field stands in its file; the diagnostics carry it back. So an error
// that only the coordinator can find still points into the file, line and column.
#include "runtime/coordinator/spec_errors.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "proto/error_details.pb.h"
#include "runtime/jobspec/jobspec.h"

namespace rm::coordinator {

namespace pb = ::ringmaster::v1;

absl::Status SpecError(absl::Span<const jobspec::Diagnostic> diagnostics) {
  RM_CHECK(!diagnostics.empty());
  pb::BadRequest details;
  for (const jobspec::Diagnostic& diagnostic : diagnostics) {
    pb::BadRequest::FieldViolation& violation = *details.add_field_violations();
    violation.set_field(diagnostic.field_path);
    const std::string place =
        diagnostic.line > 0 ? absl::StrCat(diagnostic.line, ":", diagnostic.column, ": ") : "";
    violation.set_description(absl::StrCat(place, diagnostic.message));
  }
  // The message alone must do for clients that show no details: the first error, and how many more.
  const jobspec::Diagnostic& first = diagnostics.front();
  std::string message = absl::StrCat("the job is invalid: ", first.field_path,
                                     first.field_path.empty() ? "" : ": ", first.message);
  if (diagnostics.size() > 1) {
    absl::StrAppend(&message, " (and ", diagnostics.size() - 1, " more)");
  }
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kBadRequestUrl, absl::Cord(details.SerializeAsString()));
  return status;
}

absl::Status CheckSubmission(pb::SubmitRequest* request) {
  // trainctl has applied them already; users of the API may leave fields out.
  jobspec::ApplyDefaults(request->mutable_spec());
  const std::vector<pb::SourcePosition> positions(request->source_positions().begin(),
                                                  request->source_positions().end());
  const std::vector<jobspec::Diagnostic> errors = jobspec::Validate(request->spec(), positions);
  return errors.empty() ? absl::OkStatus() : SpecError(errors);
}

}  // namespace rm::coordinator
