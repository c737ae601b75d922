// The one place where errno becomes a code. Callers add nothing but what they tried; a new code
// goes into the table here, into the one in the header, and into the test.
#include "base/status.h"

#include <cstring>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace rm::base {
namespace {

// The table of the header; what is not in it is the world being away: Unavailable.
absl::StatusCode CodeOfErrno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR: return absl::StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS: return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT: return absl::StatusCode::kResourceExhausted;
    case EEXIST: return absl::StatusCode::kAlreadyExists;
    case EISDIR:
    case ENOTEMPTY: return absl::StatusCode::kFailedPrecondition;
    case EINVAL:
    case ENAMETOOLONG: return absl::StatusCode::kInvalidArgument;
    default: return absl::StatusCode::kUnavailable;
  }
}

// strerror without its shared buffer; the GNU form may return a static text instead of filling
// `buffer`.
std::string ErrnoText(int error) {
  char buffer[256] = "";
  return strerror_r(error, buffer, sizeof(buffer));
}

}  // namespace

absl::Status ErrnoStatus(int error, absl::string_view what) {
  if (error == 0) return absl::OkStatus();
  return absl::Status(CodeOfErrno(error), absl::StrCat(what, ": ", ErrnoText(error)));
}

// A new status, as absl::Status cannot change its message; payloads must be carried over by hand.
absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

}  // namespace rm::base
