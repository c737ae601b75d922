#include "comm/bucket/bucket_plan.h"

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"

namespace rm::comm {
namespace {

constexpr int64_t kFloatBytes = 4;

struct Case {
  const char* what;
  std::vector<int64_t> elements;
  std::vector<int> buckets;      // expected bucket of each gradient
  std::vector<int64_t> offsets;  // expected offset of each gradient
  std::vector<int64_t> sizes;    // expected padded size of each bucket
};

// First bucket up to 256 bytes (64 floats), others up to 512 (128 floats).
BucketOptions SmallBuckets() { return {256, 512}; }

TEST_CASE("gradients fill buckets in turn") {
  const std::vector<Case> cases = {
      {"none", {}, {}, {}, {}},
      {"one element is padded to a cache line", {1}, {0}, {0}, {16}},
      {"exactly one cache line has no padding", {16}, {0}, {0}, {16}},
      {"the second starts at the next cache line", {17, 1}, {0, 0}, {0, 32}, {48}},
      {"the first bucket is full at its own bound", {64, 1}, {0, 1}, {0, 0}, {64, 16}},
      {"padding counts against the bound", {49, 1}, {0, 1}, {0, 0}, {64, 16}},
      {"later buckets have the larger bound",
       {64, 100, 16, 1},
       {0, 1, 1, 2},
       {0, 0, 112, 0},
       {64, 128, 16}},
      {"one larger than the bound is alone",
       {16, 1000, 16},
       {0, 1, 2},
       {0, 0, 0},
       {16, 1008, 16}},
      {"a large first one opens no empty bucket", {1000, 16}, {0, 1}, {0, 0}, {1008, 16}},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    const BucketPlan plan = PlanBuckets(c.elements, SmallBuckets());
    CHECK(plan.bucket_elements == c.sizes);
    REQUIRE(plan.slices.size() == c.elements.size());
    for (size_t i = 0; i < plan.slices.size(); ++i) {
      CHECK(plan.slices[i].bucket == c.buckets[i]);
      CHECK(plan.slices[i].offset == c.offsets[i]);
      CHECK(plan.slices[i].elements == c.elements[i]);
    }
  }
}

std::vector<int64_t> RandomSizes(base::RandomStream& random) {
  std::vector<int64_t> sizes(random.NextBelow(40));
  for (int64_t& size : sizes) {
    const uint64_t scale = uint64_t{1} << random.NextBelow(12);
    size = 1 + static_cast<int64_t>(random.NextBelow(scale));
  }
  return sizes;
}

BucketOptions RandomOptions(base::RandomStream& random) {
  return {1 + static_cast<int64_t>(random.NextBelow(4096)),
          1 + static_cast<int64_t>(random.NextBelow(16384))};
}

// Every slice begins where the one before it ended, or at the start of the next bucket.
void CheckSlicesAreConsecutive(const BucketPlan& plan) {
  int bucket = -1;
  int64_t end = 0;
  for (const BucketSlice& slice : plan.slices) {
    const bool opens = slice.bucket == bucket + 1;
    CHECK((opens || slice.bucket == bucket));
    if (opens && bucket >= 0) CHECK(end == plan.bucket_elements[static_cast<size_t>(bucket)]);
    CHECK(slice.offset == (opens ? 0 : end));
    CHECK(slice.offset % 16 == 0);
    bucket = slice.bucket;
    end = (slice.offset + slice.elements + 15) / 16 * 16;
  }
  CHECK(bucket + 1 == static_cast<int>(plan.bucket_elements.size()));
  if (bucket >= 0) CHECK(end == plan.bucket_elements.back());
}

// A bucket beyond its bound holds one gradient, and no bucket could have taken the next gradient.
void CheckBoundsAreKeptAndUsed(const BucketPlan& plan, const BucketOptions& options) {
  std::vector<int> members(plan.bucket_elements.size(), 0);
  for (const BucketSlice& slice : plan.slices) ++members[static_cast<size_t>(slice.bucket)];
  for (size_t b = 0; b < members.size(); ++b) {
    const int64_t bytes_max = b == 0 ? options.first_bucket_bytes_max : options.bucket_bytes_max;
    CHECK(members[b] > 0);
    if (members[b] > 1) CHECK(plan.bucket_elements[b] * kFloatBytes <= bytes_max);
  }
  for (size_t i = 0; i + 1 < plan.slices.size(); ++i) {
    if (plan.slices[i + 1].bucket == plan.slices[i].bucket) continue;
    const size_t b = static_cast<size_t>(plan.slices[i].bucket);
    const int64_t bytes_max = b == 0 ? options.first_bucket_bytes_max : options.bucket_bytes_max;
    const int64_t next = (plan.slices[i + 1].elements + 15) / 16 * 16;
    CHECK((plan.bucket_elements[b] + next) * kFloatBytes > bytes_max);
  }
}

TEST_CASE("any plan is consecutive, aligned and within its bounds") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    base::RandomStream random(seed, base::StableHash("bucket_plan_test"));
    const std::vector<int64_t> sizes = RandomSizes(random);
    const BucketOptions options = RandomOptions(random);
    INFO("seed " << seed);
    const BucketPlan plan = PlanBuckets(sizes, options);
    REQUIRE(plan.slices.size() == sizes.size());
    for (size_t i = 0; i < sizes.size(); ++i) CHECK(plan.slices[i].elements == sizes[i]);
    CheckSlicesAreConsecutive(plan);
    CheckBoundsAreKeptAndUsed(plan, options);
  }
}

TEST_CASE("the default bounds are 1 MiB for the first bucket and 8 MiB for the others") {
  const std::vector<int64_t> sizes(40, 1 << 17);  // 512 KiB each
  const BucketPlan plan = PlanBuckets(sizes, BucketOptions());
  const std::vector<int64_t> expected = {1 << 18, 1 << 21, 1 << 21, 6 << 17};
  CHECK(plan.bucket_elements == expected);
}

}  // namespace
}  // namespace rm::comm
