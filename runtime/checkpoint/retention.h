// Which checkpoints stay after a commit.
#ifndef RM_RUNTIME_CHECKPOINT_RETENTION_H_
#define RM_RUNTIME_CHECKPOINT_RETENTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "runtime/checkpoint/checkpoint.h"

namespace rm::checkpoint {

// The ones to remove, of `infos` as List gives them (newest first): all that are older than the
// keep_last-th that counts. Never `committed`, and never one of a later generation than it. Pure.
// REQUIRES: keep_last ≥ 1.
[[nodiscard]] std::vector<Info> Superseded(const std::vector<Info>& infos, const SaveId& committed,
                                           int keep_last);

// Removes leftovers and superseded checkpoints once `committed` is in place. Before the first
// checkpoint goes, the committed one is read back in full; DataLoss when it is not whole, and then
// every older one stays. Returns warnings.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ApplyRetention(base::FileSystem& files,
                                                                      const std::string& folder,
                                                                      const SaveId& committed,
                                                                      const Lineage& lineage,
                                                                      int keep_last);

// <folder>/.removed-…: where a checkpoint's folder goes in one rename before its files are removed
// one by one, so that a crash leaves no half checkpoint under a name that counts.
[[nodiscard]] std::string RemovedFolder(const std::string& folder, const SaveId& id);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_RETENTION_H_
