// Adds received floats to a bucket, in the fastest form that this machine runs.
#ifndef RM_COMM_COLLECTIVE_SUM_H_
#define RM_COMM_COLLECTIVE_SUM_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace rm::comm {

// out[i] += in[i] for i < n, where `in` are n floats in memory of any alignment. float32, rounded
// once an element: the same bits in every form. No overlap.
using AddFloatsFunction = void (*)(float* out, const char* in, int64_t n);

// The obvious loop: the reference.
void AddFloatsReference(float* out, const char* in, int64_t n);

// The form for this machine (base::CpuIsa).
[[nodiscard]] AddFloatsFunction AddFloats();

// Adds a stream of pieces, cut anywhere, to `out`. Thread-compatible.
class AddingSink {
 public:
  // REQUIRES: the pieces together have the bytes of `out`.
  explicit AddingSink(absl::Span<float> out) : out_(out) {}
  void Take(absl::Span<const char> piece);

 private:
  absl::Span<float> out_;        // not yet added to
  char split_[sizeof(float)]{};  // the beginning of a float that was cut
  size_t split_bytes_ = 0;
};

// Copies a stream of pieces to `out`. Thread-compatible.
class CopyingSink {
 public:
  // REQUIRES: the pieces together have the size of `out`.
  explicit CopyingSink(absl::Span<char> out) : out_(out) {}
  void Take(absl::Span<const char> piece);

 private:
  absl::Span<char> out_;  // not yet written
};

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_SUM_H_
