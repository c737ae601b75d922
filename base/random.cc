// Nothing here may depend on the machine: integers are of fixed width, and floating point keeps to
// the operations that IEEE 754 rounds exactly (+, −, ·, /, √, and conversions). random_test has the
// values of a second implementation.
#include "base/random.h"

#include <cmath>

#include "base/check.h"

namespace rm::base {
namespace {

// Steele, Lea, Flood's SplitMix64 finaliser: every input bit moves about half of the output bits.
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

constexpr uint32_t Low(uint64_t value) { return static_cast<uint32_t>(value); }
constexpr uint32_t High(uint64_t value) { return static_cast<uint32_t>(value >> 32); }
constexpr uint64_t Join(uint32_t high, uint32_t low) {
  return (static_cast<uint64_t>(high) << 32) | low;
}

// ln and cos by +, −, ·, / alone, which IEEE 754 rounds alike everywhere; those of the C library
// differ in the last bit between versions and CPUs, and a weight would with them. Both are good to
// a few units of 10⁻¹⁵.

// 1/(2j+1), from the last term of the series of artanh that counts to the first.
constexpr double kOddReciprocals[] = {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                      1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};

// ln x, x > 0 and normal: x = m · 2^e with m in [√½, √2), ln m = 2·artanh(s) with s = (m − 1) / (m
// + 1).
double Log(double x) {
  constexpr double kLn2 = 0.69314718055994530942;
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // exact, in [½, 1)
  if (mantissa < 0.70710678118654752440) {
    mantissa *= 2;
    --exponent;
  }
  const double s = (mantissa - 1) / (mantissa + 1);  // |s| ≤ 0.172
  const double square = s * s;
  double sum = 0;
  for (const double factor : kOddReciprocals) sum = sum * square + factor;
  return 2 * s * sum + exponent * kLn2;
}

// 1/(k(k−1)) for k = 16, 14 … 2 (cos) and 1/(k(k+1)) (sin): each term of the series by the one
// before.
constexpr double kPairReciprocals[2][8] = {
    {1.0 / 240, 1.0 / 182, 1.0 / 132, 1.0 / 90, 1.0 / 56, 1.0 / 30, 1.0 / 12, 1.0 / 2},
    {1.0 / 272, 1.0 / 210, 1.0 / 156, 1.0 / 110, 1.0 / 72, 1.0 / 42, 1.0 / 20, 1.0 / 6}};

// cos(2π·turns), turns in [0, 1): by the Taylor series of cos or sin within an eighth of a turn of
// the nearest quarter.
double CosOfTurns(double turns) {
  constexpr double kTwoPi = 6.28318530717958647693;
  const int quarter = static_cast<int>(turns * 4 + 0.5);  // 0–4
  const double angle = (turns - quarter * 0.25) * kTwoPi;  // |angle| ≤ π/4; the difference is exact
  const double square = angle * angle;
  // cos(q·π/2 + a) is cos a, −sin a, −cos a, sin a for q = 0, 1, 2, 3.
  const int odd = quarter % 2;
  double series = 1;
  for (const double reciprocal : kPairReciprocals[odd]) series = 1 - series * square * reciprocal;
  const double value = odd == 1 ? series * angle : series;
  return quarter == 1 || quarter == 2 ? -value : value;
}

// 53 bits as a double in [0, 1).
double Uniform53(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

}  // namespace

std::array<uint32_t, 4> Philox(const std::array<uint32_t, 4>& counter,
                               const std::array<uint32_t, 2>& key) {
  constexpr int kRounds = 10;
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
  uint32_t key0 = key[0], key1 = key[1];
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * x0;
    const uint64_t product1 = kMultiplier1 * x2;
    x0 = High(product1) ^ x1 ^ key0;
    x1 = Low(product1);
    x2 = High(product0) ^ x3 ^ key1;
    x3 = Low(product0);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return {x0, x1, x2, x3};
}

uint64_t StableHash(absl::string_view name) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return Mix(hash);
}

// Key = seed, counter = (block, stream). A block of 128 bits is two draws: 2i and 2i + 1.
uint64_t RandomStream::At(uint64_t index) const {
  const uint64_t block = index / 2;
  const std::array<uint32_t, 4> bits =
      Philox({Low(block), High(block), Low(stream_), High(stream_)}, {Low(seed_), High(seed_)});
  return index % 2 == 0 ? Join(bits[1], bits[0]) : Join(bits[3], bits[2]);
}

float RandomStream::NextUniform() { return static_cast<float>(NextBits() >> 40) * 0x1p-24F; }

// Lemire, "Fast random integer generation in an interval" (2019): the high half of bits · bound,
// and a new draw for the few low halves that would favour some results.
uint64_t RandomStream::NextBelow(uint64_t bound) {
  RM_CHECK(bound > 0, "an empty range");
  const uint64_t unfair = (0 - bound) % bound;  // 2⁶⁴ mod bound
  while (true) {
    const unsigned __int128 product = static_cast<unsigned __int128>(NextBits()) * bound;
    if (static_cast<uint64_t>(product) >= unfair) return static_cast<uint64_t>(product >> 64);
  }
}

float RandomStream::NextNormal() {
  const double uniform = 1 - Uniform53(NextBits());  // (0, 1]: its logarithm is finite
  const double turns = Uniform53(NextBits());
  return static_cast<float>(std::sqrt(-2 * Log(uniform)) * CosOfTurns(turns));
}

Permutation::Permutation(uint64_t size, uint64_t seed, uint64_t stream)
    : size_(size), half_bits_(1), round_keys_() {
  RM_CHECK(size > 0, "an empty permutation");
  // The least h with 4^h ≥ size.
  while (half_bits_ < 32 && ((size - 1) >> (2 * half_bits_)) != 0) ++half_bits_;
  const RandomStream keys(seed, stream);
  for (size_t round = 0; round < round_keys_.size(); ++round) round_keys_[round] = keys.At(round);
}

// Each round maps (left, right) to (right, left ^ F(right)), which the same F undoes, so the whole
// is a bijection of [0, 4^half_bits_), whatever F is.
uint64_t Permutation::Encrypt(uint64_t value) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_;
  uint64_t right = value & mask;
  for (const uint64_t key : round_keys_) {
    const uint64_t next = left ^ (Mix(right + key) & mask);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

// Walks the cycle of `position` until it is back inside [0, size): that keeps it a bijection of the
// smaller set. The domain is less than 4 times as large, so fewer than 4 steps on average.
uint64_t Permutation::operator()(uint64_t position) const {
  RM_CHECK(position < size_, position, " of ", size_);
  uint64_t value = Encrypt(position);
  while (value >= size_) value = Encrypt(value);
  return value;
}

}  // namespace rm::base
