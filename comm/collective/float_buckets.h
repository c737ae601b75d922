// The memory of a communicator's buckets.
#ifndef RM_COMM_COLLECTIVE_FLOAT_BUCKETS_H_
#define RM_COMM_COLLECTIVE_FLOAT_BUCKETS_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace rm::comm {

// Where flat float32 arrays lie in one piece of memory, each at a multiple of 64 bytes.
struct FloatLayout {
  std::vector<size_t> offsets;  // in bytes, by bucket
  size_t bytes = 0;             // of all
};

// The layout of buckets of these sizes: the same wherever it is asked. InvalidArgument for a negative
// size, ResourceExhausted when this machine has not that much memory.
[[nodiscard]] absl::StatusOr<FloatLayout> LayOutFloats(absl::Span<const int64_t> elements);

// Flat float32 arrays in that layout. Thread-compatible.
class FloatBuckets {
 public:
  // In memory of their own, zeroed.
  // FailedPrecondition when called twice, InvalidArgument for a negative size, ResourceExhausted
  // when there is not enough memory.
  [[nodiscard]] absl::Status Allocate(absl::Span<const int64_t> elements);

  // In memory that the caller has and keeps. FailedPrecondition as above.
  // REQUIRES: at a multiple of 64 bytes, of the size of LayOutFloats(elements).
  [[nodiscard]] absl::Status Place(absl::Span<char> memory, absl::Span<const int64_t> elements);

  [[nodiscard]] const std::vector<absl::Span<float>>& spans() const { return spans_; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  bool placed_ = false;
  std::unique_ptr<void, Free> memory_;
  std::vector<absl::Span<float>> spans_;
};

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_FLOAT_BUCKETS_H_
