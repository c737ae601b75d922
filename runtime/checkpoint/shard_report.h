// What a rank says about a file it has written: the message that rank 0 needs for the manifest.
#ifndef RM_RUNTIME_CHECKPOINT_SHARD_REPORT_H_
#define RM_RUNTIME_CHECKPOINT_SHARD_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/json.h"

namespace rm::checkpoint {

// Bytes of a block that has its own CRC32C: small enough to name the place of a fault, large enough
// that the list stays short (1 GiB of tensors → 1024 numbers).
inline constexpr uint64_t kBlockBytes = uint64_t{1} << 20;
// The largest block that readers take: they hold one in memory.
inline constexpr uint64_t kBlockBytesMax = uint64_t{64} << 20;

// One file of a save. A value type.
struct ShardReport {
  // The save's temporary folder: another save's report is refused.
  std::string save;
  // Its name in the folder, "weights-00000-of-00002.safetensors".
  std::string file;
  uint64_t bytes = 0;
  // Of the whole file, 64 hexadecimal digits.
  std::string sha256;
  uint64_t block_bytes = kBlockBytes;
  // Of each block; the last may be short.
  std::vector<uint32_t> crc32c;
};

// The reports as one line of JSON, to be sent to rank 0, and back. InvalidArgument for anything
// Serialize does not make.
[[nodiscard]] std::string SerializeReports(absl::Span<const ShardReport> reports);
[[nodiscard]] absl::StatusOr<std::vector<ShardReport>> ParseReports(absl::string_view text);

// The part of a report that a manifest holds (all but `save`), and back.
[[nodiscard]] base::Json FileEntry(const ShardReport& report);
[[nodiscard]] absl::StatusOr<ShardReport> ParseFileEntry(const base::Json& entry);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_SHARD_REPORT_H_
