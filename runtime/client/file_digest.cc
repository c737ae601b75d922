#include "runtime/client/file_digest.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/units.h"

namespace rm::client {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;  // what one message of an upload may hold

}  // namespace

absl::Status ReadFileInPieces(const base::FileSystem& files, const std::string& path,
                              absl::FunctionRef<bool(absl::string_view piece)> take) {
  RM_ASSIGN_OR_RETURN(const auto file, files.Open(path));
  std::string buffer;
  for (uint64_t offset = 0; offset < file->size(); offset += buffer.size()) {
    buffer.resize(static_cast<size_t>(std::min(kPieceBytes, file->size() - offset)));
    RM_RETURN_IF_ERROR(file->Read(offset, buffer.size(), buffer.data()));
    if (!take(buffer)) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<FileDigest> DigestFile(const base::FileSystem& files, const std::string& path) {
  RM_ASSIGN_OR_RETURN(const base::FileInfo info, files.Stat(path));
  if (info.bytes > kArtifactBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", info.bytes, " bytes; a job can bring along files of at most ",
                     base::FormatBytes(static_cast<int64_t>(kArtifactBytesMax))));
  }
  FileDigest digest;
  base::Sha256 sha256;
  RM_RETURN_IF_ERROR(ReadFileInPieces(files, path, [&](absl::string_view piece) {
    sha256.Update(piece);
    digest.bytes += piece.size();
    return true;
  }));
  digest.sha256 = sha256.HexDigest();
  return digest;
}

}  // namespace rm::client
