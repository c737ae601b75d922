// The checksums of a file, computed piece by piece.
#ifndef RM_RUNTIME_CHECKPOINT_SUMS_H_
#define RM_RUNTIME_CHECKPOINT_SUMS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/sha256.h"
#include "runtime/checkpoint/shard_report.h"

namespace rm::checkpoint {

// SHA-256 of a stream of bytes, and CRC32C of each of its blocks of kBlockBytes. Not thread-safe.
class Sums {
 public:
  // The next bytes; pieces may be of any size.
  void Update(absl::string_view bytes);

  // The sums of all, with `save` and `file` as given. Ends the computation.
  [[nodiscard]] ShardReport Finish(std::string save, std::string file);

 private:
  base::Sha256 sha256_;
  uint64_t bytes_ = 0;
  // The last is unfinished unless a block ends at bytes_.
  std::vector<uint32_t> crc32c_;
};

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_SUMS_H_
