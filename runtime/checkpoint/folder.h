// A job's checkpoint folder as saves see it: who has written there, and what is left over.
#ifndef RM_RUNTIME_CHECKPOINT_FOLDER_H_
#define RM_RUNTIME_CHECKPOINT_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "runtime/checkpoint/names.h"

namespace rm::checkpoint {

// Names one save. All ranks of it use the same one: rank 0 draws the nonce and broadcasts it.
struct SaveId {
  // How many updates the saved state has seen.
  int64_t step = 0;
  // Of the gang that saves.
  int64_t generation = 1;
  // Made by NewNonce: two saves of the same step and generation never share a folder.
  std::string nonce;
};

// 16 random hexadecimal digits.
[[nodiscard]] std::string NewNonce();

// <folder>/.tmp-…: where a save is written.
[[nodiscard]] std::string TemporaryFolder(const std::string& folder, const SaveId& id);
// <folder>/step-…: where it is once committed.
[[nodiscard]] std::string CheckpointFolder(const std::string& folder, int64_t step,
                                           int64_t generation);

// The names in `folder` that are of this format; others are none of our business. A missing folder
// holds none.
[[nodiscard]] absl::StatusOr<std::vector<FolderName>> ListNames(const base::FileSystem& files,
                                                                const std::string& folder);

// Aborted when a generation after `generation` has written here: it has taken over, and what this
// one knows is old.
[[nodiscard]] absl::Status CheckNoNewerGeneration(const base::FileSystem& files,
                                                  const std::string& folder, int64_t generation);

// Removes what no one will finish: temporary folders of older generations and of other saves of
// this generation up to this step, and checkpoints that were on their way out. Returns what could
// not be removed, as sentences.
std::vector<std::string> RemoveLeftovers(base::FileSystem& files, const std::string& folder,
                                         const SaveId& id);

// Makes `path` with its parents, and makes their names durable.
[[nodiscard]] absl::Status MakeDurableFolders(base::FileSystem& files, const std::string& path);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_FOLDER_H_
