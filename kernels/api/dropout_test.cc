#include "kernels/api/dropout.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

namespace rm::kernels {
namespace {

// Share of `count` elements that are dropped.
double Dropped(uint64_t key, float ratio, int64_t count) {
  int64_t dropped = 0;
  for (int64_t i = 0; i < count; ++i) dropped += DropoutWord(key, i) < DropoutThreshold(ratio);
  return static_cast<double>(dropped) / static_cast<double>(count);
}

TEST_CASE("as many elements are dropped as the ratio says") {
  constexpr int64_t kCount = 100000;
  for (const float ratio : {0.0F, 0.1F, 0.25F, 0.5F, 0.9F}) {
    for (const int64_t position : {0, 1, 77}) {
      const double p = static_cast<double>(ratio);
      const double deviation = std::sqrt(p * (1 - p) / static_cast<double>(kCount));
      const double dropped = Dropped(DropoutKey({1, 2, 0}, position, 3), ratio, kCount);
      CHECK(std::abs(dropped - p) <= 4.5 * deviation);
    }
  }
}

TEST_CASE("every counter gives other numbers") {
  std::set<uint64_t> keys;
  for (int64_t seed = 0; seed < 6; ++seed) {
    for (int64_t step = 0; step < 6; ++step) {
      for (int64_t position = 0; position < 6; ++position) {
        for (int64_t stream = -3; stream < 3; ++stream) {
          keys.insert(DropoutKey({seed, step, 99}, position, stream));
        }
      }
    }
  }
  CHECK(keys.size() == 6 * 6 * 6 * 6);
}

TEST_CASE("masks of neighbouring samples, and of neighbouring elements, are independent") {
  constexpr int kCount = 100000;
  const uint64_t a = DropoutKey({5, 8, 0}, 10, 1);
  const uint64_t b = DropoutKey({5, 8, 0}, 11, 1);
  int both_samples = 0;
  int both_elements = 0;
  for (int i = 0; i < kCount; ++i) {
    const uint32_t half = DropoutThreshold(0.5F);
    both_samples += DropoutWord(a, i) < half && DropoutWord(b, i) < half;
    both_elements += DropoutWord(a, i) < half && DropoutWord(a, i + 1) < half;
  }
  CHECK(std::abs(both_samples - kCount / 4) < 650);  // 4.7 standard deviations
  CHECK(std::abs(both_elements - kCount / 4) < 650);
}

TEST_CASE("the numbers are these for ever: runs that are gone on with depend on them") {
  const uint64_t key = DropoutKey({1, 2, 0}, 3, 4);
  CHECK(DropoutKey({1, 2, 50}, 3, 4) == key);  // positions are given whole
  CHECK(DropoutWord(key, 0) == DropoutWord(key, int64_t{1} << 32));
  CHECK(DropoutThreshold(0.25F) == 0x40000000U);
}

}  // namespace
}  // namespace rm::kernels
