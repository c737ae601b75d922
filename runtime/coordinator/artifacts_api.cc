// What the messages mean; the files are artifact_store's.
#include "runtime/coordinator/artifacts_api.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/sha256.h"
#include "base/status.h"
#include "runtime/coordinator/spec_errors.h"
#include "runtime/jobspec/jobspec.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

constexpr int kAskedMax = 1000;  // more files than any job brings along

// Made here and not by jobspec, which does not look at the world: whether an artifact is there only
// the storage knows. The error of a field, with its place in the job file where that is known.
jobspec::Diagnostic ErrorAt(absl::string_view field_path, const std::string& message,
                            const pb::SubmitRequest& request) {
  jobspec::Diagnostic error;
  error.field_path = std::string(field_path);
  error.message = message;
  for (const pb::SourcePosition& position : request.source_positions()) {
    if (position.field_path() != field_path) continue;
    error.line = position.line();
    error.column = position.column();
  }
  return error;
}

}  // namespace

absl::StatusOr<pb::HasArtifactsReply> HasArtifacts(const ArtifactStore& store,
                                                   const pb::HasArtifactsRequest& request) {
  if (request.sha256_size() > kAskedMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("at most ", kAskedMax, " artifacts can be asked for at once"));
  }
  pb::HasArtifactsReply reply;
  // A job may name one file in two places; the client is to send it once.
  std::set<absl::string_view> asked;
  for (const std::string& sha256 : request.sha256()) {
    if (!base::IsSha256Hex(sha256)) {
      return absl::InvalidArgumentError("an artifact is named by the 64 hex digits of its SHA-256");
    }
    if (asked.insert(sha256).second && !store.Has(sha256)) reply.add_missing(sha256);
  }
  return reply;
}

absl::Status ResolveArtifacts(const ArtifactStore& store, pb::SubmitRequest* request) {
  // A request without a spec stays without one: what is missing is said by the check after this.
  if (!request->has_spec()) return absl::OkStatus();
  std::vector<jobspec::Diagnostic> errors;
  for (const std::string& field : jobspec::UploadedFiles(request->spec())) {
    const std::string sha256 =
        jobspec::DigestOfArtifact(jobspec::FileAt(request->spec(), field));
    if (sha256.empty()) {
      errors.push_back(ErrorAt(
          field, "'artifact:' must be followed by the 64 hex digits of a SHA-256", *request));
    } else if (!store.Has(sha256)) {
      errors.push_back(ErrorAt(field,
                               absl::StrCat("no artifact ", sha256,
                                            " was uploaded to this cluster: submit the job with "
                                            "'trainctl submit', which uploads its files"),
                               *request));
    } else {
      jobspec::SetFileAt(field, store.Path(sha256), request->mutable_spec());
    }
  }
  return errors.empty() ? absl::OkStatus() : SpecError(errors);
}

absl::StatusOr<bool> UploadCall::Take(const pb::UploadArtifactRequest& message) {
  if (message.data().size() > kPieceBytesMax) {
    return absl::InvalidArgumentError("a message may hold at most 1 MiB of an artifact");
  }
  if (upload_ == nullptr) {
    // Another user was faster, perhaps a moment ago: 2 GiB need not cross the network for nothing.
    if (base::IsSha256Hex(message.sha256()) && store_.Has(message.sha256())) {
      present_path_ = store_.Path(message.sha256());
      return true;
    }
    RM_ASSIGN_OR_RETURN(upload_, store_.Begin(message.sha256(), message.bytes()));
  }
  RM_RETURN_IF_ERROR(upload_->Append(message.data()));
  return false;
}

absl::StatusOr<pb::UploadArtifactReply> UploadCall::End() {
  pb::UploadArtifactReply reply;
  reply.set_path(present_path_);
  if (!present_path_.empty()) return reply;
  if (upload_ == nullptr) {
    return absl::InvalidArgumentError("the first message of an upload has its SHA-256 and size");
  }
  RM_ASSIGN_OR_RETURN(*reply.mutable_path(), upload_->Finish());
  return reply;
}

// The digest is checked before it becomes a part of a path.
absl::StatusOr<std::unique_ptr<ArtifactDownload>> ArtifactDownload::Open(
    const ArtifactStore& store, const base::FileSystem& files, const std::string& sha256) {
  if (!base::IsSha256Hex(sha256)) {
    return absl::InvalidArgumentError("an artifact is named by the 64 hex digits of its SHA-256");
  }
  if (!store.Has(sha256)) {
    return absl::NotFoundError(absl::StrCat("there is no artifact ", sha256));
  }
  RM_ASSIGN_OR_RETURN(auto file, files.Open(store.Path(sha256)));
  return absl::WrapUnique(new ArtifactDownload(std::move(file)));
}

// An artifact never changes, so its size is that of the beginning. Its content is checked by whoever
// asked for it: it is named by its digest.
absl::StatusOr<bool> ArtifactDownload::Next(pb::DownloadArtifactReply* message) {
  if (sent_ == file_->size()) return false;
  const uint64_t bytes = std::min<uint64_t>(UploadCall::kPieceBytesMax, file_->size() - sent_);
  std::string* const data = message->mutable_data();
  data->resize(static_cast<size_t>(bytes));
  RM_RETURN_IF_ERROR(file_->Read(sent_, bytes, data->data()));
  sent_ += bytes;
  return true;
}

}  // namespace rm::coordinator
