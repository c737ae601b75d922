#include "runtime/checkpoint/sums.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"

namespace rm::checkpoint {

void Sums::Update(absl::string_view bytes) {
  // Block by block, so that SHA-256 finds in the cache what CRC32C has just read.
  while (!bytes.empty()) {
    const uint64_t used = bytes_ % kBlockBytes;
    if (used == 0) crc32c_.push_back(0);
    const absl::string_view piece = bytes.substr(0, static_cast<size_t>(kBlockBytes - used));
    crc32c_.back() = base::Crc32cExtend(crc32c_.back(), piece.data(), piece.size());
    sha256_.Update(piece);
    bytes_ += piece.size();
    bytes.remove_prefix(piece.size());
  }
}

// A file without bytes has a SHA-256 and no blocks.
ShardReport Sums::Finish(std::string save, std::string file) {
  ShardReport report;
  report.save = std::move(save);
  report.file = std::move(file);
  report.bytes = bytes_;
  report.sha256 = sha256_.HexDigest();
  report.crc32c = std::move(crc32c_);
  return report;
}

}  // namespace rm::checkpoint
