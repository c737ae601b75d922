// All of it is in the reflected form of the polynomial: bit 31 of a register is the coefficient of
// x⁰. Registers hold the inverted CRC, as RFC 3720 has it; each public function inverts on the way
// in and on the way out.
#include "base/crc32c.h"

#include <immintrin.h>

#include <array>
#include <cstring>

#include "base/cpu.h"

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

// Folding: four registers of 64 bytes run over the input side by side. A step moves what a register
// holds forward by the width of all four, which is a product with a power of x, and adds what lies
// there. So the input is never reduced on the way, only the last 16 bytes are.
constexpr size_t kFoldLane = 64;                // bytes of a register
constexpr size_t kFoldStride = 4 * kFoldLane;   // bytes of a step
constexpr size_t kFoldBytesMin = 4 * kFoldStride;  // below that, lanes of crc32 are as fast

// The two factors that move 16 bytes forward by kBytes. The low eight bytes lie 64 bits before the
// high ones; the products lie one bit low, and the factors are kept in the low half of their 64
// bits (a factor x³²): hence less 33, as above.
template <size_t kBytes>
__attribute__((target("avx512f"))) inline __m512i FoldFactors() {
  constexpr int64_t kLow = PowerOfX(8 * kBytes + 64 - 33);
  constexpr int64_t kHigh = PowerOfX(8 * kBytes - 33);
  return _mm512_set_epi64(kHigh, kLow, kHigh, kLow, kHigh, kLow, kHigh, kLow);
}

// What the register holds, moved forward by the factors' distance, plus what lies there.
__attribute__((target("avx512f,vpclmulqdq"))) inline __m512i Fold(__m512i value, __m512i factors,
                                                                  __m512i there) {
  constexpr int kXorOfThree = 0x96;
  const __m512i low = _mm512_clmulepi64_epi128(value, factors, 0x00);
  const __m512i high = _mm512_clmulepi64_epi128(value, factors, 0x11);
  return _mm512_ternarylogic_epi64(low, high, there, kXorOfThree);
}

// The register after the 64 bytes: every 16 of them are moved onto the last 16, which the crc32
// instruction reduces.
__attribute__((target("avx512f,sse4.2,vpclmulqdq"))) inline uint32_t Reduce(__m512i value) {
  alignas(kFoldLane) uint64_t words[8];
  // Lane i of 16 bytes is 3 − i lanes away from the last one, which has no factor but itself.
  constexpr auto kLow = [](size_t lanes) { return int64_t{PowerOfX(128 * lanes + 64 - 33)}; };
  constexpr auto kHigh = [](size_t lanes) { return int64_t{PowerOfX(128 * lanes - 33)}; };
  constexpr int64_t kFactors[] = {kLow(3), kHigh(3), kLow(2), kHigh(2), kLow(1), kHigh(1)};
  const __m512i factors = _mm512_set_epi64(0, 0, kFactors[5], kFactors[4], kFactors[3],
                                           kFactors[2], kFactors[1], kFactors[0]);
  constexpr __mmask8 kLastLane = 0xC0;
  _mm512_store_si512(words, Fold(value, factors, _mm512_maskz_mov_epi64(kLastLane, value)));
  const uint64_t low = words[0] ^ words[2] ^ words[4] ^ words[6];
  const uint64_t high = words[1] ^ words[3] ^ words[5] ^ words[7];
  return static_cast<uint32_t>(_mm_crc32_u64(_mm_crc32_u64(0, low), high));
}

__attribute__((target("avx512f,sse4.2,pclmul,vpclmulqdq"))) uint32_t Crc32cAvx512(
    uint32_t crc, const void* data, size_t size) {
  if (size < kFoldBytesMin) return Crc32cSse42(crc, data, size);
  const unsigned char* at = static_cast<const unsigned char*>(data);
  const auto load = [&at](size_t lane) __attribute__((target("avx512f"))) {
    return _mm512_loadu_si512(at + lane * kFoldLane);
  };
  // The register so far is added to the first four bytes.
  __m512i a = _mm512_xor_si512(load(0), _mm512_zextsi128_si512(
                                            _mm_cvtsi32_si128(static_cast<int>(~crc))));
  __m512i b = load(1), c = load(2), d = load(3);
  at += kFoldStride;
  size -= kFoldStride;
  const __m512i stride = FoldFactors<kFoldStride>();
  for (; size >= kFoldStride; at += kFoldStride, size -= kFoldStride) {
    a = Fold(a, stride, load(0));
    b = Fold(b, stride, load(1));
    c = Fold(c, stride, load(2));
    d = Fold(d, stride, load(3));
  }
  const __m512i lane = FoldFactors<kFoldLane>();
  d = Fold(Fold(Fold(a, lane, b), lane, c), lane, d);
  return Crc32cSse42(~Reduce(d), at, size);
}

using Extend = uint32_t (*)(uint32_t crc, const void* data, size_t size);

Extend ChooseLanes() {
  __builtin_cpu_init();
  const bool has = __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0;
  return has ? &Crc32cSse42 : &Crc32cPortable;
}

// CpuIsa also knows whether the operating system saves the wide registers, and what RINGMASTER_ISA
// forbids.
Extend ChooseExtend() {
  const Extend lanes = ChooseLanes();
  const bool folds = CpuIsa() == Isa::kV4 && __builtin_cpu_supports("vpclmulqdq") != 0;
  return folds && lanes == &Crc32cSse42 ? &Crc32cAvx512 : lanes;
}

}  // namespace

// Asked once; the answer cannot change while the process runs.
uint32_t Crc32cExtend(uint32_t crc, const void* data, size_t size) {
  static const Extend extend = ChooseExtend();
  return extend(crc, data, size);
}

uint32_t Crc32cLanes(uint32_t crc, const void* data, size_t size) {
  static const Extend lanes = ChooseLanes();
  return lanes(crc, data, size);
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
