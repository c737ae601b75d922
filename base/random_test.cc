#include "base/random.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace rm::base {
namespace {

TEST_CASE("Philox gives the known answers of its authors' Random123 library") {
  struct Case {
    std::array<uint32_t, 4> counter;
    std::array<uint32_t, 2> key;
    std::array<uint32_t, 4> expected;
  };
  // The philox4x32 10 lines of Random123's kat_vectors.
  const Case cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const Case& c : cases) CHECK(Philox(c.counter, c.key) == c.expected);
}

TEST_CASE("A stream's draws are the halves of Philox's blocks, keyed by seed and stream") {
  constexpr uint64_t kSeed = 0x0123456789ABCDEF, kStream = 0xFEDCBA9876543210;
  const RandomStream stream(kSeed, kStream);
  for (const uint64_t block : std::vector<uint64_t>{0, 1, 77, 0x123456789A}) {
    const auto bits = Philox(
        {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0x76543210, 0xFEDCBA98},
        {0x89ABCDEF, 0x01234567});
    CHECK(stream.At(2 * block) == ((uint64_t{bits[1]} << 32) | bits[0]));
    CHECK(stream.At(2 * block + 1) == ((uint64_t{bits[3]} << 32) | bits[2]));
  }
}

TEST_CASE("Walking a stream gives the draws of At, and a copy walks on by itself") {
  RandomStream walker(5, 6);
  const RandomStream fixed(5, 6);
  for (uint64_t i = 0; i < 100; ++i) CHECK(walker.NextBits() == fixed.At(i));
  RandomStream copy = walker;
  CHECK(copy.NextBits() == fixed.At(100));
  CHECK(walker.NextBits() == fixed.At(100));
}

TEST_CASE("Different seeds, streams and indices give different draws") {
  std::set<uint64_t> draws;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint64_t stream = 0; stream < 20; ++stream) {
      const RandomStream random(seed, stream);
      for (uint64_t index = 0; index < 20; ++index) draws.insert(random.At(index));
    }
  }
  CHECK(draws.size() == 20 * 20 * 20);
}

// How far counts of equally probable cells are from even, in standard deviations of a chi-square.
double Unevenness(const std::vector<int>& counts) {
  double total = 0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size()) - 1;
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

TEST_CASE("Uniform numbers lie in [0, 1), evenly, in steps of 2^-24") {
  RandomStream random(31, 0);
  std::vector<int> counts(64);
  for (int i = 0; i < 200'000; ++i) {
    const float value = random.NextUniform();
    if (!(value >= 0 && value < 1)) FAIL(value);
    if (std::floor(value * 0x1p24F) != value * 0x1p24F) FAIL(value);
    ++counts[static_cast<size_t>(value * 64)];
  }
  CHECK(std::fabs(Unevenness(counts)) < 5);
}

TEST_CASE("Numbers below a bound reach all of it, evenly") {
  for (const uint64_t bound : std::vector<uint64_t>{1, 2, 3, 7, 10, 100}) {
    RandomStream random(32, bound);
    std::vector<int> counts(bound);
    for (int i = 0; i < 100'000; ++i) {
      const uint64_t value = random.NextBelow(bound);
      if (value >= bound) FAIL(value << " of " << bound);
      ++counts[value];
    }
    CAPTURE(bound);
    if (bound > 1) CHECK(Unevenness(counts) < 5);
  }
}

TEST_CASE("A bound that does not divide 2^64 by far has no bias") {
  // Of 3/4 of the range, bits modulo the bound would give the lower third twice as often, and the
  // high half of bits · bound every third value.
  constexpr uint64_t kBound = 3 * (uint64_t{1} << 62);
  RandomStream random(33, 0);
  std::vector<int> thirds(3), residues(3);
  for (int i = 0; i < 90'000; ++i) {
    const uint64_t value = random.NextBelow(kBound);
    if (value >= kBound) FAIL(value);
    ++thirds[value / (kBound / 3)];
    ++residues[value % 3];
  }
  CHECK(Unevenness(thirds) < 5);
  CHECK(Unevenness(residues) < 5);
}

TEST_CASE("Normal numbers have the moments and tails of the standard normal distribution") {
  constexpr int kDraws = 400'000;
  RandomStream random(34, 0);
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  int beyond_one = 0, beyond_three = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = static_cast<double>(random.NextNormal());
    sum += x;
    squares += x * x;
    cubes += x * x * x;
    fourths += x * x * x * x;
    beyond_one += std::fabs(x) > 1;
    beyond_three += std::fabs(x) > 3;
  }
  CHECK(std::fabs(sum / kDraws) < 0.008);  // 5 standard errors each
  CHECK(std::fabs(squares / kDraws - 1) < 0.012);
  CHECK(std::fabs(cubes / kDraws) < 0.035);
  CHECK(std::fabs(fourths / kDraws - 3) < 0.08);
  CHECK(std::fabs(beyond_one / double{kDraws} - 0.31731) < 0.004);
  CHECK(std::fabs(beyond_three / double{kDraws} - 0.0027) < 0.0005);
}

TEST_CASE("A normal number is Box and Muller's of two draws, to the last bit of a float but one") {
  RandomStream random(35, 0);
  const RandomStream draws(35, 0);
  for (uint64_t i = 0; i < 50'000; ++i) {
    const double u = 1 - static_cast<double>(draws.At(2 * i) >> 11) * 0x1p-53;
    const double v = static_cast<double>(draws.At(2 * i + 1) >> 11) * 0x1p-53;
    const double expected = std::sqrt(-2 * std::log(u)) * std::cos(2 * 3.14159265358979323846 * v);
    const double error = std::fabs(static_cast<double>(random.NextNormal()) - expected);
    if (error > 1.2e-7 * std::fabs(expected) + 1e-14) FAIL("draw " << i << " is off by " << error);
  }
}

// The values were computed by a second implementation, in Python.
TEST_CASE("A stream's values never change from version to version") {
  RandomStream random(1, 2);
  CHECK(random.NextBits() == 0x8CEDC5D3E73404CF);
  CHECK(random.NextUniform() == 0x1.415fap-5F);
  CHECK(random.NextNormal() == 0x1.d9f586p+0F);
  CHECK(random.NextBelow(1000) == 353);
  const Permutation permutation(10, 1, 2);
  std::vector<uint64_t> order;
  for (uint64_t i = 0; i < 10; ++i) order.push_back(permutation(i));
  CHECK(order == std::vector<uint64_t>{4, 0, 8, 6, 7, 1, 3, 9, 2, 5});
  CHECK(StableHash("") == 0xF52A15E9A9B5E89B);
  CHECK(StableHash("conv1.weight") == 0x518ADAF9DFB88FBE);
}

TEST_CASE("Names that differ in one letter have unrelated hashes") {
  std::set<uint64_t> hashes;
  int flipped = 0, pairs = 0;
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      const uint64_t hash = StableHash(std::string{a, b});
      hashes.insert(hash);
      flipped += __builtin_popcountll(hash ^ StableHash(std::string{a, 'A'}));
      ++pairs;
    }
  }
  CHECK(hashes.size() == 26 * 26);
  CHECK(std::fabs(flipped / static_cast<double>(pairs) - 32) < 1);
}

// Fails unless `permutation` takes each value of [0, size) once.
void CheckBijection(const Permutation& permutation) {
  std::vector<bool> taken(permutation.size());
  for (uint64_t i = 0; i < permutation.size(); ++i) {
    const uint64_t value = permutation(i);
    if (value >= permutation.size()) FAIL(value << " of " << permutation.size());
    if (taken[value]) FAIL(value << " twice of " << permutation.size());
    taken[value] = true;
  }
}

TEST_CASE("A permutation is a bijection for every size from 1 to 2000") {
  for (uint64_t size = 1; size <= 2000; ++size) CheckBijection(Permutation(size, size * 7, 3));
}

TEST_CASE("A permutation is a bijection for large sizes, around powers of four and at random") {
  for (const uint64_t size : std::vector<uint64_t>{16383, 16384, 16385, 65535, 65536, 65537, 262143,
                                                   262144, 262145, 1048577}) {
    CheckBijection(Permutation(size, 1, size));
  }
  RandomStream random(36, 0);
  for (int i = 0; i < 5; ++i) {
    CheckBijection(Permutation(1 + random.NextBelow(1'000'000), random.NextBits(), 0));
  }
}

TEST_CASE("A permutation of a size too large to walk stays inside it and repeats nothing") {
  RandomStream random(37, 0);
  std::vector<uint64_t> sizes = {~uint64_t{0}, uint64_t{1} << 63, (uint64_t{1} << 62) + 1,
                                 uint64_t{1} << 62, (uint64_t{1} << 32) + 1};
  for (int i = 0; i < 20; ++i) sizes.push_back(random.NextBits() >> random.NextBelow(24));
  for (const uint64_t size : sizes) {
    const Permutation permutation(size, 9, size);
    std::set<uint64_t> values;
    for (uint64_t i = 0; i < 500; ++i) {
      for (const uint64_t position : {i, size / 2 + i, size - 1 - i}) {
        const uint64_t value = permutation(position);
        if (value >= size) FAIL(value << " of " << size);
        values.insert(value);
      }
    }
    CAPTURE(size);
    CHECK(values.size() == 1500);
  }
}

TEST_CASE("A permutation is fixed by its key, and another seed or stream gives another") {
  const auto order = [](uint64_t seed, uint64_t stream) {
    const Permutation permutation(100, seed, stream);
    std::vector<uint64_t> values;
    for (uint64_t i = 0; i < permutation.size(); ++i) values.push_back(permutation(i));
    return values;
  };
  CHECK(order(1, 2) == order(1, 2));
  CHECK(order(1, 2) != order(2, 2));
  CHECK(order(1, 2) != order(1, 3));
}

TEST_CASE("Over many keys every position takes every value equally often") {
  for (const uint64_t size : std::vector<uint64_t>{2, 3, 4, 5, 7, 10, 16, 17, 50}) {
    std::vector<int> counts(size * size);
    for (uint64_t key = 0; key < 40 * size * size; ++key) {
      const Permutation permutation(size, key, 0);
      for (uint64_t i = 0; i < size; ++i) ++counts[i * size + permutation(i)];
    }
    CAPTURE(size);
    CHECK(Unevenness(counts) < 5);
  }
}

TEST_CASE("Neighbouring positions take unrelated values") {
  const Permutation permutation(60'000, 1, 1);
  std::vector<int> counts(100);  // cells of (value of i, value of i + 1)
  for (uint64_t i = 0; i + 1 < permutation.size(); ++i) {
    ++counts[permutation(i) / 6000 * 10 + permutation(i + 1) / 6000];
  }
  CHECK(std::fabs(Unevenness(counts)) < 6);
}

// Nanoseconds a call of `next`.
template <typename Next>
double Nanoseconds(const Next& next) {
  constexpr int kCalls = 2'000'000;
  const auto start = std::chrono::steady_clock::now();
  double sum = 0;
  for (int i = 0; i < kCalls; ++i) sum += static_cast<double>(next());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  CHECK(sum != 0.5);
  return took.count() * 1e9 / kCalls;
}

// Hidden: numbers, not judgements. Run it with `[speed]`.
TEST_CASE("The speed of each kind of draw", "[.speed]") {
  RandomStream random(1, 1);
  const Permutation permutation(1'200'000, 1, 1);
  uint64_t position = 0;
  WARN("bits " << Nanoseconds([&] { return random.NextBits(); }) << " ns");
  WARN("uniform " << Nanoseconds([&] { return random.NextUniform(); }) << " ns");
  WARN("normal " << Nanoseconds([&] { return random.NextNormal(); }) << " ns");
  WARN("permutation " << Nanoseconds([&] { return permutation(position++ % 1'200'000); }) << " ns");
}

}  // namespace
}  // namespace rm::base
