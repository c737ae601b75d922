// A file as the artifact it will be: read in pieces, so that its size does not matter.
#ifndef RM_RUNTIME_CLIENT_FILE_DIGEST_H_
#define RM_RUNTIME_CLIENT_FILE_DIGEST_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_system.h"

namespace rm::client {

// What an artifact may have at most: 2 GiB (proto/api.proto).
inline constexpr uint64_t kArtifactBytesMax = uint64_t{2} << 30;

struct FileDigest {
  std::string sha256;  // 64 hex digits
  uint64_t bytes = 0;
};

// Calls `take` with the content in order, at most 1 MiB at a time, until it returns false. OK also
// then. A file that grows meanwhile is read up to the size it had; one that shrinks is OutOfRange.
[[nodiscard]] absl::Status ReadFileInPieces(const base::FileSystem& files, const std::string& path,
                                            absl::FunctionRef<bool(absl::string_view piece)> take);

// InvalidArgument: over kArtifactBytesMax, said before a byte is read. Else the error of the disk.
[[nodiscard]] absl::StatusOr<FileDigest> DigestFile(const base::FileSystem& files,
                                                    const std::string& path);

}  // namespace rm::client

#endif  // RM_RUNTIME_CLIENT_FILE_DIGEST_H_
