// Gradients of several micro-batches, summed before they travel (train.gradient_accumulation).
//
//   part 0      bucket ─copied─► sum              part k < last    sum += bucket
//   last part   bucket += sum                     … and the bucket is what is reduced over the ranks
//
// One bucket at a time, as soon as the backward pass has filled it. With one part there is nothing to do, and no memory.
#ifndef RM_RUNTIME_TRAINER_GRADIENT_SUM_H_
#define RM_RUNTIME_TRAINER_GRADIENT_SUM_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/api/kernel.h"

namespace rm::trainer {

// Thread-compatible. Borrows the buckets.
class GradientSum {
 public:
  // Of one part.
  GradientSum() = default;

  // `buckets`: where the backward pass writes gradients; `sums`: as much memory again, aligned alike; empty for one part.
  [[nodiscard]] static absl::StatusOr<GradientSum> Create(
      std::vector<absl::Span<float>> buckets, std::vector<absl::Span<float>> sums, int parts,
      kernels::KernelTable table, const kernels::KernelOptions& options);

  [[nodiscard]] int parts() const { return parts_; }

  // Bucket `bucket` holds the gradients of micro-batch `part`. After the last part it holds the sum of all. Allocates nothing.
  [[nodiscard]] absl::Status Take(int bucket, int part);

 private:
  int parts_ = 1;
  std::vector<absl::Span<float>> buckets_;
  std::vector<absl::Span<float>> sums_;
  std::vector<std::unique_ptr<kernels::Kernel>> adds_;  // one a bucket
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_GRADIENT_SUM_H_
