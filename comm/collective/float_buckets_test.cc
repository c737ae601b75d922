#include "comm/collective/float_buckets.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>

namespace rm::comm {
namespace {

TEST_CASE("buckets have their sizes, are zeroed, aligned and apart") {
  FloatBuckets buckets;
  const std::vector<int64_t> sizes = {1, 0, 16, 17, 1000};
  REQUIRE(buckets.Allocate(sizes).ok());
  REQUIRE(buckets.spans().size() == sizes.size());
  const float* end = nullptr;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const absl::Span<float> span = buckets.spans()[i];
    CHECK(span.size() == static_cast<size_t>(sizes[i]));
    CHECK(reinterpret_cast<uintptr_t>(span.data()) % 64 == 0);
    CHECK(std::count(span.begin(), span.end(), 0.0F) == sizes[i]);
    if (end != nullptr) CHECK(span.data() >= end);
    end = span.data() + span.size();
  }
}

TEST_CASE("no buckets are a sound allocation") {
  FloatBuckets buckets;
  CHECK(buckets.Allocate({}).ok());
  CHECK(buckets.spans().empty());
}

TEST_CASE("wrong allocations are refused") {
  FloatBuckets buckets;
  CHECK(absl::IsInvalidArgument(buckets.Allocate({4, -1})));
  CHECK(absl::IsResourceExhausted(buckets.Allocate({int64_t{1} << 55})));
  CHECK(buckets.Allocate({4}).ok());
  CHECK(absl::IsFailedPrecondition(buckets.Allocate({4})));
}

}  // namespace
}  // namespace rm::comm
