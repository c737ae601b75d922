#include "runtime/checkpoint/checked_file.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/status.h"

namespace rm::checkpoint {

absl::Status DamagedAt(const std::string& file, uint64_t offset, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(file, ": ", offset, ": ", what));
}

// The length is compared first: with it right, no read of a block can go beyond the end, and a file
// that was cut off is told as such and not as a bad sum.
absl::StatusOr<std::unique_ptr<CheckedFile>> CheckedFile::Open(const base::FileSystem& files,
                                                               const std::string& folder,
                                                               const ShardReport& report) {
  auto file = files.Open(base::JoinPath(folder, report.file));
  if (absl::IsNotFound(file.status())) return DamagedAt(report.file, 0, "the file is missing");
  if (!file.ok()) return file.status();
  const uint64_t size = (*file)->size();
  if (size != report.bytes) {
    return DamagedAt(report.file, std::min(size, report.bytes),
                     absl::StrCat("the file has ", size, " bytes, not ", report.bytes));
  }
  return absl::WrapUnique(new CheckedFile(*std::move(file), report));
}

// All blocks have the same size but the last one.
uint64_t CheckedFile::block_size(uint64_t block) const {
  return std::min(report_.block_bytes, report_.bytes - block_begin(block));
}

// The sum is taken of what was read into the destination: what the caller gets is what was checked.
absl::Status CheckedFile::ReadBlock(uint64_t block, char* destination) const {
  RM_CHECK(block < block_count(), "block ", block, " of ", block_count());
  const absl::Status status = file_->Read(block_begin(block), block_size(block), destination);
  if (!status.ok()) return base::Annotate(status, report_.file);
  const uint32_t found = base::Crc32c(destination, static_cast<size_t>(block_size(block)));
  const uint32_t expected = report_.crc32c[static_cast<size_t>(block)];
  if (found == expected) return absl::OkStatus();
  return DamagedAt(report_.file, block_begin(block),
                   absl::StrFormat("the block of %d bytes has CRC32C %08x, not %08x",
                                   block_size(block), found, expected));
}

// Keeps the block only after it was found right. Holding the lock while reading is meant: of
// several readers of one block, one reads.
absl::Status CheckedFile::ReadPart(uint64_t block, uint64_t begin, uint64_t size,
                                   char* destination) const {
  base::MutexLock lock(mutex_);
  if (cache_.empty() || cached_ != block) {
    std::string content(static_cast<size_t>(block_size(block)), '\0');
    cache_.clear();
    RM_RETURN_IF_ERROR(ReadBlock(block, content.data()));
    cache_ = std::move(content);
    cached_ = block;
  }
  std::memcpy(destination, cache_.data() + begin, static_cast<size_t>(size));
  return absl::OkStatus();
}

// Block by block: a whole one straight to its place, a part by way of the block that is kept.
absl::Status CheckedFile::Read(uint64_t offset, uint64_t size, char* destination) const {
  if (offset > report_.bytes || size > report_.bytes - offset) {
    return absl::OutOfRangeError(absl::StrCat(report_.file, ": ", size, " bytes at ", offset,
                                              " wanted, it has ", report_.bytes));
  }
  while (size > 0) {
    const uint64_t block = offset / report_.block_bytes;
    const uint64_t begin = offset - block_begin(block);
    const uint64_t part = std::min(size, block_size(block) - begin);
    RM_RETURN_IF_ERROR(part == block_size(block) ? ReadBlock(block, destination)
                                                 : ReadPart(block, begin, part, destination));
    offset += part;
    destination += part;
    size -= part;
  }
  return absl::OkStatus();
}

}  // namespace rm::checkpoint
