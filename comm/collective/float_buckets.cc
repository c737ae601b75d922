#include "comm/collective/float_buckets.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace rm::comm {
namespace {

constexpr size_t kAlignmentBytes = 64;

size_t PaddedBytes(int64_t elements) {
  const size_t bytes = static_cast<size_t>(elements) * sizeof(float);
  return (bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
}

}  // namespace

absl::Status FloatBuckets::Allocate(absl::Span<const int64_t> elements) {
  if (allocated_) return absl::FailedPreconditionError("buckets are allocated once");
  size_t total = 0;
  for (const int64_t size : elements) {
    if (size < 0) {
      return absl::InvalidArgumentError(absl::StrCat("bucket of ", size, " elements"));
    }
    total += PaddedBytes(size);
  }
  memory_.reset(std::aligned_alloc(kAlignmentBytes, std::max(total, kAlignmentBytes)));
  if (memory_ == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("not enough memory for ", total, " bytes of gradient buckets"));
  }
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
