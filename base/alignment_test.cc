#include "base/alignment.h"

#include <catch2/catch.hpp>

#include <vector>

namespace rm::base {
namespace {

TEST_CASE("a count is rounded up to whole units, and one that is whole stays") {
  CHECK(RoundUp(size_t{0}, 64) == 0);
  CHECK(RoundUp(size_t{1}, 64) == 64);
  CHECK(RoundUp(size_t{64}, 64) == 64);
  CHECK(RoundUp(int64_t{65}, 64) == 128);
  CHECK(RoundUp(7, 3) == 9);
  static_assert(RoundUp(4097, 4096) == 8192, "known when it is compiled");
}

TEST_CASE("floats are aligned within the line that they lie in") {
  std::vector<float> memory(4 * kCacheLineFloats);
  for (size_t skip = 0; skip < 2 * kCacheLineFloats; ++skip) {
    float* const from = memory.data() + skip;
    float* const aligned = AlignToCacheLine(from);
    CHECK(reinterpret_cast<uintptr_t>(aligned) % kCacheLineBytes == 0);
    CHECK(aligned >= from);
    CHECK(aligned < from + kCacheLineFloats);
    CHECK(AlignToCacheLine(aligned) == aligned);
  }
}

}  // namespace
}  // namespace rm::base
