// A file of a checkpoint whose every block is checked before any byte of it is handed out.
#ifndef RM_RUNTIME_CHECKPOINT_CHECKED_FILE_H_
#define RM_RUNTIME_CHECKPOINT_CHECKED_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "runtime/checkpoint/shard_report.h"

namespace rm::checkpoint {

// Thread-safe. Whole blocks are read straight into the caller's memory and checked there; for parts
// of blocks the last block is kept, so that many small tensors in one block cost one read.
class CheckedFile final : public base::RandomAccessFile {
 public:
  // Opens `folder`/report.file. DataLoss, "<file>: <offset>: what", when it is missing or not as
  // long as the report says.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<CheckedFile>> Open(
      const base::FileSystem& files, const std::string& folder, const ShardReport& report);

  // DataLoss, "<file>: <offset>: what", when a block does not have its CRC32C; the destination's
  // content is then not to be used.
  [[nodiscard]] absl::Status Read(uint64_t offset, uint64_t size, char* destination) const override;
  [[nodiscard]] uint64_t size() const override { return report_.bytes; }

  // The size and the place of a block. REQUIRES: block < block_count().
  [[nodiscard]] uint64_t block_count() const { return report_.crc32c.size(); }
  [[nodiscard]] uint64_t block_begin(uint64_t block) const { return block * report_.block_bytes; }
  [[nodiscard]] uint64_t block_size(uint64_t block) const;
  // Reads and checks one block. `destination` has block_size(block) bytes.
  [[nodiscard]] absl::Status ReadBlock(uint64_t block, char* destination) const;

 private:
  CheckedFile(std::unique_ptr<base::RandomAccessFile> file, const ShardReport& report)
      : file_(std::move(file)), report_(report) {}
  [[nodiscard]] absl::Status ReadPart(uint64_t block, uint64_t begin, uint64_t size,
                                      char* destination) const;

  const std::unique_ptr<base::RandomAccessFile> file_;
  const ShardReport report_;
  mutable base::Mutex mutex_;
  mutable std::string cache_ ABSL_GUARDED_BY(mutex_);  // the content of cached_, if it is not empty
  mutable uint64_t cached_ ABSL_GUARDED_BY(mutex_) = 0;
};

// "<file>: <offset>: what" as DataLoss: the form of everything that is said about damage.
[[nodiscard]] absl::Status DamagedAt(const std::string& file, uint64_t offset,
                                     absl::string_view what);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_CHECKED_FILE_H_
