#include "runtime/graph/aligned_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace rm::graph {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

// std::aligned_alloc wants a size that is a multiple of the alignment. Huge pages are given for
// whole aligned 2 MiB ranges only, hence the alignment of large blocks.
absl::StatusOr<AlignedMemory> AlignedMemory::Allocate(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  const size_t rounded = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
  AlignedMemory memory;
  memory.data_.reset(static_cast<char*>(std::aligned_alloc(alignment, rounded)));
  if (memory.data_ == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for ", bytes, " bytes"));
  }
  // Advice alone: without huge pages everything works as well.
  if (bytes >= kHugePage) madvise(memory.data(), rounded, MADV_HUGEPAGE);
  std::memset(memory.data(), 0, rounded);
  return memory;
}

}  // namespace rm::graph
