// The names of a checkpoint's folders and files (docs/checkpoint_format.md, "Names").
#ifndef RM_RUNTIME_CHECKPOINT_NAMES_H_
#define RM_RUNTIME_CHECKPOINT_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rm::checkpoint {

inline constexpr char kManifestFile[] = "manifest.json";
inline constexpr char kTrainerFile[] = "trainer.json";

// What a folder's name says.
struct FolderName {
  enum class Kind {
    kCheckpoint,  // step-<step>-g<generation>
    kTemporary,   // .tmp-<step>-g<generation>-<nonce>: a save under way, or given up
    kRemoved,     // .removed-<step>-g<generation>-<nonce>: a checkpoint on its way out
  };
  Kind kind = Kind::kCheckpoint;
  // At least 0; written with at least 12 digits, so that names sort as numbers do.
  int64_t step = 0;
  // At least 1.
  int64_t generation = 0;
  // Letters and digits; empty for kCheckpoint.
  std::string nonce;
};

[[nodiscard]] std::string FormatFolderName(const FolderName& name);
// Nothing for any name that FormatFolderName does not make.
[[nodiscard]] std::optional<FolderName> ParseFolderName(absl::string_view text);

// "weights-00000-of-00002.safetensors", "optimizer-00000-of-00002.safetensors".
[[nodiscard]] std::string WeightsFile(int rank, int world_size);
[[nodiscard]] std::string OptimizerFile(int rank, int world_size);
// The names of all files of all ranks, rank after rank, weights first.
[[nodiscard]] std::vector<std::string> ShardFiles(int world_size);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_NAMES_H_
