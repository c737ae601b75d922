// Which gradient lies where in which bucket: pure arithmetic.
//
// Gradients are laid into flat buckets in the order in which the backward pass finishes them, so
// that a bucket is complete early and its allreduce overlaps with the rest of the pass. The first
// bucket is small (communication starts at once), no gradient is split, one larger than the bound
// gets a bucket of its own, and every gradient starts at a multiple of 16 elements (64 bytes);
// padding is zero and stays zero under sums and updates.
#ifndef RM_COMM_BUCKET_BUCKET_PLAN_H_
#define RM_COMM_BUCKET_BUCKET_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace rm::comm {

// Bounds on a bucket's padded size. REQUIRES: both positive.
struct BucketOptions {
  int64_t first_bucket_bytes_max = 1 << 20;
  int64_t bucket_bytes_max = 8 << 20;
};

// Where one gradient lies.
struct BucketSlice {
  int bucket = 0;
  int64_t offset = 0;    // elements from the bucket's start, a multiple of 16
  int64_t elements = 0;  // as given
};

// Invariants: slices are in the given order, do not overlap, and fill buckets 0, 1, … in turn; a
// bucket is larger than its bound only when it holds a single gradient.
struct BucketPlan {
  std::vector<BucketSlice> slices;       // one a gradient
  std::vector<int64_t> bucket_elements;  // padded size of each bucket, a multiple of 16
};

// `elements`: gradient sizes (> 0) in the order in which they become final. No gradients, no
// buckets. The same input gives the same plan on every rank.
[[nodiscard]] BucketPlan PlanBuckets(absl::Span<const int64_t> elements,
                                     const BucketOptions& options);

}  // namespace rm::comm

#endif  // RM_COMM_BUCKET_BUCKET_PLAN_H_
