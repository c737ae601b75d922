// The memory of a communicator's buckets.
#ifndef RM_COMM_COLLECTIVE_FLOAT_BUCKETS_H_
#define RM_COMM_COLLECTIVE_FLOAT_BUCKETS_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace rm::comm {

// Flat float32 arrays, zeroed, each at a multiple of 64 bytes. Thread-compatible.
class FloatBuckets {
 public:
  // FailedPrecondition when called twice, InvalidArgument for a negative size, ResourceExhausted
  // when there is not enough memory.
  [[nodiscard]] absl::Status Allocate(absl::Span<const int64_t> elements);

  [[nodiscard]] const std::vector<absl::Span<float>>& spans() const { return spans_; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  bool allocated_ = false;
  std::unique_ptr<void, Free> memory_;
  std::vector<absl::Span<float>> spans_;
};

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_FLOAT_BUCKETS_H_
