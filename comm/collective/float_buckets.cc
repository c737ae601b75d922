#include "comm/collective/float_buckets.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace rm::comm {
namespace {

constexpr size_t kAlignmentBytes = 64;

// Buckets start on cache lines of their own.
size_t PaddedBytes(int64_t elements) {
  const size_t bytes = static_cast<size_t>(elements) * sizeof(float);
  return (bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
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

// One allocation for all, zeroed.
absl::Status FloatBuckets::Allocate(absl::Span<const int64_t> elements) {
  if (allocated_) return absl::FailedPreconditionError("buckets are allocated once");
  size_t total = 0;
  for (const int64_t size : elements) {
    if (size < 0) {
      return absl::InvalidArgumentError(absl::StrCat("bucket of ", size, " elements"));
    }
    total += PaddedBytes(size);
  }
  if (total > MachineBytes()) return NotEnoughMemory(total);
  memory_.reset(std::aligned_alloc(kAlignmentBytes, std::max(total, kAlignmentBytes)));
  if (memory_ == nullptr) return NotEnoughMemory(total);
  std::memset(memory_.get(), 0, total);
  allocated_ = true;
  char* begin = static_cast<char*>(memory_.get());
  for (const int64_t size : elements) {
    spans_.emplace_back(reinterpret_cast<float*>(begin), static_cast<size_t>(size));
    begin += PaddedBytes(size);
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
