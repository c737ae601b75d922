#include "comm/collective/float_buckets.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/alignment.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::comm {
namespace {

// Buckets start on cache lines of their own.
size_t PaddedBytes(int64_t elements) {
  return base::RoundUp(static_cast<size_t>(elements) * sizeof(float), base::kCacheLineBytes);
}

// The kernel promises more than there is, and kills who believes it: so it is not asked.
size_t MachineBytes() {
  return static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<size_t>(sysconf(_SC_PAGE_SIZE));
}

absl::Status NotEnoughMemory(size_t bytes) {
  return absl::ResourceExhaustedError(absl::StrCat("gradient buckets need ", bytes,
                                                   " bytes of memory, this machine has ",
                                                   MachineBytes()));
}

}  // namespace

absl::StatusOr<FloatLayout> LayOutFloats(absl::Span<const int64_t> elements) {
  FloatLayout layout;
  for (const int64_t size : elements) {
    if (size < 0) {
      return absl::InvalidArgumentError(absl::StrCat("bucket of ", size, " elements"));
    }
    layout.offsets.push_back(layout.bytes);
    layout.bytes += PaddedBytes(size);
  }
  if (layout.bytes > MachineBytes()) return NotEnoughMemory(layout.bytes);
  return layout;
}

// One allocation for all, zeroed.
absl::Status FloatBuckets::Allocate(absl::Span<const int64_t> elements) {
  if (placed_) return absl::FailedPreconditionError("buckets are allocated once");
  RM_ASSIGN_OR_RETURN(const FloatLayout layout, LayOutFloats(elements));
  const size_t bytes = std::max(layout.bytes, base::kCacheLineBytes);
  memory_.reset(std::aligned_alloc(base::kCacheLineBytes, bytes));
  if (memory_ == nullptr) return NotEnoughMemory(bytes);
  auto* const memory = static_cast<char*>(memory_.get());
  std::memset(memory, 0, bytes);
  return Place(absl::MakeSpan(memory, layout.bytes), elements);
}

absl::Status FloatBuckets::Place(absl::Span<char> memory, absl::Span<const int64_t> elements) {
  if (placed_) return absl::FailedPreconditionError("buckets are allocated once");
  RM_ASSIGN_OR_RETURN(const FloatLayout layout, LayOutFloats(elements));
  RM_CHECK(memory.size() >= layout.bytes, memory.size(), " bytes for ", layout.bytes);
  placed_ = true;
  for (size_t i = 0; i < elements.size(); ++i) {
    spans_.emplace_back(reinterpret_cast<float*>(memory.data() + layout.offsets[i]),
                        static_cast<size_t>(elements[i]));
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
