// The file by which a worker shows that its storage is the coordinator's: a content that nobody can
// guess, in the folder that is said to be shared.
#ifndef RM_RUNTIME_COORDINATOR_STORAGE_PROBE_H_
#define RM_RUNTIME_COORDINATOR_STORAGE_PROBE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/file_system.h"

namespace rm::coordinator {

// Draws 64 bits.
using RandomBitsFn = std::function<uint64_t()>;

// A file on the storage by which a worker shows that it sees the same folder.
struct StorageProbeFile {
  std::string path;  // absolute; empty: workers are not asked
  std::string content;
};

// 16 hex digits that stay with a state folder for its life, in <state>/id: what a coordinator
// leaves on a shared storage carries them, so that its successor knows its own leftovers from the
// files of other clusters. Made when missing or not what was written.
[[nodiscard]] absl::StatusOr<std::string> StateId(base::FileSystem& files, const std::string& state,
                                                  const RandomBitsFn& random);

// Writes <storage>/.ringmaster-probe-<id> with a new content, over that of the life before: a
// coordinator that was killed leaves one such file, not one a life.
[[nodiscard]] absl::StatusOr<StorageProbeFile> WriteStorageProbe(base::FileSystem& files,
                                                                 const std::string& storage,
                                                                 const std::string& id,
                                                                 const RandomBitsFn& random);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_STORAGE_PROBE_H_
