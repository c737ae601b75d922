// All of it is in the reflected form of the polynomial: bit 31 of a register is the coefficient of
// x⁰. Registers hold the inverted CRC, as RFC 3720 has it; each public function inverts on the way
// in and on the way out.
#include "base/crc32c.h"

#include <nmmintrin.h>
#include <wmmintrin.h>

#include <array>
#include <cstring>

namespace rm::base {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41 reflected

// register · x mod P.
constexpr uint32_t TimesX(uint32_t value) {
  return (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
}

// xⁿ mod P.
constexpr uint32_t PowerOfX(size_t n) {
  uint32_t power = 0x80000000;  // x⁰
  for (size_t i = 0; i < n; ++i) power = TimesX(power);
  return power;
}

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[k][b]: what byte b becomes when k + 1 bytes (itself among them) have gone through the
// register.
constexpr Tables MakeTables() {
  Tables tables{};
  for (size_t byte = 0; byte < 256; ++byte) {
    uint32_t value = static_cast<uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) value = TimesX(value);
    tables[0][byte] = value;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}
constexpr Tables kTables = MakeTables();

// Eight bytes at any alignment.
uint64_t Load(const unsigned char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// The crc32 instruction takes 3 cycles but one can start in each, so three lanes of the input go
// through it side by side. Long lanes make the joining cheap, short ones do most of what is left
// over.
constexpr size_t kLongLane = 2048;  // bytes; three of them stay in the first-level cache
constexpr size_t kShortLane = 128;

// register · x^(8·kBytes) mod P: the register after kBytes more bytes of zero. The carry-less
// product of two reflected 32-bit values lies one bit low in 64 bits (a factor x) and the crc32
// instruction multiplies by x³² as it reduces, hence the exponent less 33.
template <size_t kBytes>
__attribute__((target("sse4.2,pclmul"))) inline uint32_t ShiftBytes(uint64_t value) {
  constexpr int64_t kFactor = PowerOfX(8 * kBytes - 33);
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(value)),
                                               _mm_cvtsi64_si128(kFactor), 0);
  return static_cast<uint32_t>(_mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(product))));
}

// The register after the 3 · kLane bytes at `at`.
template <size_t kLane>
__attribute__((target("sse4.2,pclmul"))) inline uint32_t ThreeLanes(uint32_t crc,
                                                                    const unsigned char* at) {
  uint64_t first = crc, second = 0, third = 0;
  for (size_t i = 0; i < kLane; i += 8) {
    first = _mm_crc32_u64(first, Load(at + i));
    second = _mm_crc32_u64(second, Load(at + kLane + i));
    third = _mm_crc32_u64(third, Load(at + 2 * kLane + i));
  }
  return ShiftBytes<2 * kLane>(first) ^ ShiftBytes<kLane>(second) ^ static_cast<uint32_t>(third);
}

__attribute__((target("sse4.2,pclmul"))) uint32_t Crc32cSse42(uint32_t crc, const void* data,
                                                              size_t size) {
  const unsigned char* at = static_cast<const unsigned char*>(data);
  crc = ~crc;
  for (; size >= 3 * kLongLane; at += 3 * kLongLane, size -= 3 * kLongLane) {
    crc = ThreeLanes<kLongLane>(crc, at);
  }
  for (; size >= 3 * kShortLane; at += 3 * kShortLane, size -= 3 * kShortLane) {
    crc = ThreeLanes<kShortLane>(crc, at);
  }
  for (; size >= 8; at += 8, size -= 8) {
    crc = static_cast<uint32_t>(_mm_crc32_u64(crc, Load(at)));
  }
  for (; size > 0; ++at, --size) crc = _mm_crc32_u8(crc, *at);
  return ~crc;
}

using Extend = uint32_t (*)(uint32_t crc, const void* data, size_t size);

// Asked once; the answer cannot change while the process runs.
Extend ChooseExtend() {
  __builtin_cpu_init();
  const bool fast = __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0;
  return fast ? &Crc32cSse42 : &Crc32cPortable;
}

}  // namespace

uint32_t Crc32cExtend(uint32_t crc, const void* data, size_t size) {
  static const Extend extend = ChooseExtend();
  return extend(crc, data, size);
}

uint32_t Crc32cReference(uint32_t crc, const void* data, size_t size) {
  const unsigned char* bytes = static_cast<const unsigned char*>(data);
  crc = ~crc;
  for (size_t i = 0; i < size; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = TimesX(crc);
  }
  return ~crc;
}

// Slicing by eight (Kounavis, Berry 2005): the bytes of a word go through the register
// independently of each other, each by the table of its place.
uint32_t Crc32cPortable(uint32_t crc, const void* data, size_t size) {
  const unsigned char* at = static_cast<const unsigned char*>(data);
  crc = ~crc;
  for (; size >= 8; at += 8, size -= 8) {
    const uint64_t word = Load(at) ^ crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (; size > 0; ++at, --size) crc = (crc >> 8) ^ kTables[0][(crc ^ *at) & 0xFF];
  return ~crc;
}

}  // namespace rm::base
