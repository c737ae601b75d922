#include "comm/bucket/bucket_plan.h"

#include <cstddef>
#include <cstdint>

#include "base/check.h"

namespace rm::comm {
namespace {

constexpr int64_t kAlignment = 16;  // elements: 64 bytes, a cache line and the widest vector
constexpr int64_t kElementBytes = 4;

int64_t Padded(int64_t elements) { return (elements + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

BucketPlan PlanBuckets(absl::Span<const int64_t> elements, const BucketOptions& options) {
  RM_CHECK(options.first_bucket_bytes_max > 0 && options.bucket_bytes_max > 0,
           "bucket bounds must be positive");
  BucketPlan plan;
  plan.slices.reserve(elements.size());
  for (const int64_t size : elements) {
    RM_CHECK(size > 0, "gradient of ", size, " elements");
    const size_t buckets = plan.bucket_elements.size();
    const int64_t bytes_max =
        buckets <= 1 ? options.first_bucket_bytes_max : options.bucket_bytes_max;
    const bool fits =
        buckets > 0 &&
        (plan.bucket_elements.back() + Padded(size)) * kElementBytes <= bytes_max;
    if (!fits) plan.bucket_elements.push_back(0);
    int64_t& filled = plan.bucket_elements.back();
    plan.slices.push_back({static_cast<int>(plan.bucket_elements.size()) - 1, filled, size});
    filled += Padded(size);
  }
  return plan;
}

}  // namespace rm::comm
