#include "runtime/tensorfile/half.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace rm::tensorfile {
namespace {

uint32_t BitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float FloatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// `bits` without its lowest `drop` bits, rounded to the nearest, ties to even.
uint32_t RoundedShift(uint32_t bits, int drop) {
  const uint32_t kept = bits >> drop;
  const uint32_t rest = bits & ((uint32_t{1} << drop) - 1);
  const uint32_t half = uint32_t{1} << (drop - 1);
  return kept + (rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0);
}

}  // namespace

// 1 sign bit, 5 of the exponent (bias 15), 10 of the fraction.
float HalfToFloat(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const auto fraction = static_cast<float>(bits & 0x3FF);
  float value = std::ldexp(fraction, -24);  // subnormal
  if (exponent == 0x1F) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity()
                          : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent != 0) {
    value = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

// The upper half of a float32.
float Bfloat16ToFloat(uint16_t bits) { return FloatOf(uint32_t{bits} << 16); }

uint16_t FloatToHalf(float value) {
  const uint32_t bits = BitsOf(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);   // NaN
  if (magnitude >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);  // 65520 and more
  const int exponent = static_cast<int>(magnitude >> 23) - 127;
  if (exponent < -25) return sign;  // less than half of the smallest subnormal
  if (exponent < -14) {
    const uint32_t fraction = (magnitude & 0x7FFFFF) | 0x800000;
    return static_cast<uint16_t>(sign | RoundedShift(fraction, -exponent - 1));
  }
  // A fraction that rounds up to 1024 carries into the exponent, as it should.
  return static_cast<uint16_t>(sign | RoundedShift(magnitude - (uint32_t{112} << 23), 13));
}

uint16_t FloatToBfloat16(float value) {
  const uint32_t bits = BitsOf(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>((bits >> 16) | 0x40);  // NaN
  return static_cast<uint16_t>(RoundedShift(bits, 16));
}

}  // namespace rm::tensorfile
