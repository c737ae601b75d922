// A checkpoint's manifest, found and judged: what listing, verifying and loading begin with.
#ifndef RM_RUNTIME_CHECKPOINT_OPEN_H_
#define RM_RUNTIME_CHECKPOINT_OPEN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/manifest.h"

namespace rm::checkpoint {

struct OpenedManifest {
  Manifest manifest;
  // Of manifest.json.
  uint64_t text_bytes = 0;
};

// Reads the manifest of the checkpoint at `path`. DataLoss, "manifest.json: <offset>: what", when
// it is missing, damaged, or of another step or generation than the folder's name says.
[[nodiscard]] absl::StatusOr<OpenedManifest> OpenManifest(const base::FileSystem& files,
                                                          const std::string& path);

// All that a manifest says of a checkpoint; `counts` and `problem` are left for others to judge.
[[nodiscard]] Info InfoOf(const OpenedManifest& opened, const std::string& path);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_OPEN_H_
