// bfloat16: the upper half of a float32. Its range, and 8 binary digits of which one is implied.
//
// Tensors of it halve the traffic to memory, and CPUs with avx512_bf16 multiply two of them where
// they multiply one float32. Nothing is added up in it: sums are float32 or double, and are rounded
// once, when they are stored.
//
// These two functions are the definition. Vector loops (kernels/cpu/vector.h) and the CPU's own
// instructions give the same bits for all normal numbers.
#ifndef RM_KERNELS_API_BFLOAT16_H_
#define RM_KERNELS_API_BFLOAT16_H_

#include <cstdint>
#include <cstring>

namespace rm::kernels {

// One element in memory. A type of its own, so that nobody adds bits up.
struct Bfloat16 {
  uint16_t bits;
};

// Exact.
[[nodiscard]] inline float ToFloat(Bfloat16 value) {
  const uint32_t bits = uint32_t{value.bits} << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof(wide));
  return wide;
}

// The nearest bfloat16, the even one of two that are as near; beyond the greatest one infinity. A NaN
// stays a NaN.
[[nodiscard]] inline Bfloat16 ToBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  // Half a unit of what is kept, less a bit where the kept part is even: a tie then does not carry.
  const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  const bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
  return {static_cast<uint16_t>(is_nan ? (bits >> 16) | 0x40 : rounded)};
}

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_BFLOAT16_H_
