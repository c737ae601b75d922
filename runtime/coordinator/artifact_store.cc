// The order is that of base::WriteFileAtomically, drawn out over the pieces of an upload: write,
// compare, sync, rename, sync the folder. Nobody sees the name before the content is durable.
#include "runtime/coordinator/artifact_store.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/units.h"

namespace rm::coordinator {

ArtifactUpload::ArtifactUpload(base::FileSystem& files, std::string temporary, std::string path,
                               int64_t bytes, std::unique_ptr<base::WritableFile> file)
    : files_(files),
      temporary_(std::move(temporary)),
      path_(std::move(path)),
      bytes_(bytes),
      file_(std::move(file)) {}

ArtifactUpload::~ArtifactUpload() {
  file_.reset();
  // What cannot be removed now is removed by the next start (RemoveBroken).
  if (!is_in_place_) files_.RemoveFile(temporary_).IgnoreError();
}

absl::Status ArtifactUpload::Append(absl::string_view data) {
  // Compared at every piece: a client that sends for ever is stopped at what it announced, and the
  // room that was found at the beginning is not exceeded.
  written_ += static_cast<int64_t>(data.size());
  if (written_ > bytes_) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than the ", bytes_, " bytes that were announced came"));
  }
  sha256_.Update(data);
  return file_->Append(data);
}

absl::StatusOr<std::string> ArtifactUpload::Finish() {
  if (written_ != bytes_) {
    return absl::InvalidArgumentError(
        absl::StrCat(written_, " of the ", bytes_, " bytes that were announced came"));
  }
  const std::string digest = sha256_.HexDigest();
  if (digest != base::BaseName(path_)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the content has the SHA-256 ", digest, ", and ", base::BaseName(path_),
                     " was announced: the file has changed while it was sent"));
  }
  // The content is durable before the name is: a name that leads to nothing would be worse than no
  // name, since nobody reads the bytes again to find out.
  RM_RETURN_IF_ERROR(file_->Sync());
  RM_RETURN_IF_ERROR(file_->Close());
  RM_RETURN_IF_ERROR(files_.Rename(temporary_, path_));
  is_in_place_ = true;
  RM_RETURN_IF_ERROR(files_.SyncFolder(base::ParentPath(path_)));
  return path_;
}

ArtifactStore::ArtifactStore(std::string folder, std::string state_id, base::FileSystem& files)
    : folder_(std::move(folder)),
      temporary_prefix_(absl::StrCat(".upload-", state_id, "-")),
      files_(files) {}

std::string ArtifactStore::Path(absl::string_view sha256) const {
  return base::JoinPath(folder_, sha256);
}

// By name alone: what has the name was verified when it got it. A disk that has changed it since is
// found out by who reads it (safetensors are checked when they are loaded).
bool ArtifactStore::Has(absl::string_view sha256) const {
  const absl::StatusOr<base::FileInfo> info = files_.Stat(Path(sha256));
  return info.ok() && !info->is_folder;
}

absl::StatusOr<std::unique_ptr<ArtifactUpload>> ArtifactStore::Begin(const std::string& sha256,
                                                                     int64_t bytes) {
  if (!base::IsSha256Hex(sha256)) {
    return absl::InvalidArgumentError("an artifact is named by the 64 hex digits of its SHA-256");
  }
  if (bytes < 0 || bytes > kBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("an artifact has at most ", base::FormatBytes(kBytesMax), ", not ", bytes,
                     " bytes: put larger files where the workers can read them, and name the path "
                     "in the job file"));
  }
  // At each upload, not once: somebody may have cleaned up the storage under us.
  RM_RETURN_IF_ERROR(files_.MakeFolders(folder_));
  RM_RETURN_IF_ERROR(files_.SyncFolder(base::ParentPath(folder_)));
  const absl::StatusOr<uint64_t> room = files_.FreeBytes(folder_);
  if (room.ok() && *room < static_cast<uint64_t>(bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat(folder_, " has room for ", *room, " bytes, and the artifact has ", bytes));
  }
  // A name of its own for each upload, also for two of the same content: they must not write into
  // one file.
  const std::string temporary = base::JoinPath(
      folder_, absl::StrCat(temporary_prefix_, uploads_.fetch_add(1), "-", sha256));
  RM_ASSIGN_OR_RETURN(auto file, files_.Create(temporary));
  return absl::WrapUnique(
      new ArtifactUpload(files_, temporary, Path(sha256), bytes, std::move(file)));
}

int64_t ArtifactStore::RemoveBroken() {
  int64_t removed = 0;
  const auto names = files_.List(folder_);  // an error: there is no such folder yet
  if (!names.ok()) return 0;
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, temporary_prefix_)) continue;
    if (files_.RemoveFile(base::JoinPath(folder_, name)).ok()) ++removed;
  }
  return removed;
}

}  // namespace rm::coordinator
