#include "runtime/graph/aligned_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/units.h"

namespace rm::graph {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

// The machine's memory. More than that is refused: Linux would promise it, and kill this process,
// or another one, when the pages are touched.
size_t PhysicalBytes() {
  return static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGE_SIZE));
}

absl::Status NoMemory(size_t bytes, const char* why) {
  return absl::ResourceExhaustedError(
      absl::StrCat("no memory for ", base::FormatBytes(static_cast<int64_t>(bytes)), ": ", why));
}

}  // namespace

// std::aligned_alloc wants a size that is a multiple of the alignment. Huge pages are given for
// whole aligned 2 MiB ranges only, hence the alignment of large blocks.
absl::StatusOr<AlignedMemory> AlignedMemory::Allocate(size_t bytes) {
  if (bytes > PhysicalBytes()) return NoMemory(bytes, "that is more than the machine has");
  const size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  const size_t rounded = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
  AlignedMemory memory;
  memory.data_.reset(static_cast<char*>(std::aligned_alloc(alignment, rounded)));
  if (memory.data_ == nullptr) return NoMemory(bytes, "the system refuses");
  // Advice alone: without huge pages everything works as well.
  if (bytes >= kHugePage) madvise(memory.data(), rounded, MADV_HUGEPAGE);
  std::memset(memory.data(), 0, rounded);
  return memory;
}

}  // namespace rm::graph
