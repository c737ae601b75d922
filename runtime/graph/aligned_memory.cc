#include "runtime/graph/aligned_memory.h"

#include <sys/mman.h>

#include <cstring>

#include "base/check.h"

namespace rm::graph {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

// std::aligned_alloc wants a size that is a multiple of the alignment. Huge pages are given for
// whole aligned 2 MiB ranges only, hence the alignment of large blocks.
AlignedMemory::AlignedMemory(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  data_.reset(static_cast<char*>(std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment)));
  RM_CHECK(data_ != nullptr, "no memory for ", bytes, " bytes");
  // Advice alone: without huge pages everything works as well.
  if (bytes >= kHugePage) madvise(data_.get(), rounded, MADV_HUGEPAGE);
  std::memset(data_.get(), 0, rounded);
}

}  // namespace rm::graph
