// Floats of 16 bits, as files hold them: IEEE half precision and bfloat16.
//
// Parameters are float32; files of other trainers are not always. The functions are pure.
//
//   half      1 sign, 5 exponent (bias 15), 10 fraction: to 65504, 3 digits
//   bfloat16  1 sign, 8 exponent (bias 127), 7 fraction: the range of a float32, 2 digits
//
// No instruction of the CPU is used: files are read once, and the same bits must come out anywhere.
#ifndef RM_RUNTIME_TENSORFILE_HALF_H_
#define RM_RUNTIME_TENSORFILE_HALF_H_

#include <cstdint>

namespace rm::tensorfile {

// Exact: every number of 16 bits is one of 32. Infinities stay, a NaN stays a NaN.
[[nodiscard]] float HalfToFloat(uint16_t bits);
[[nodiscard]] float Bfloat16ToFloat(uint16_t bits);

// The nearest number of 16 bits, the even one of two that are as near. What is too large becomes an
// infinity.
[[nodiscard]] uint16_t FloatToHalf(float value);
[[nodiscard]] uint16_t FloatToBfloat16(float value);

}  // namespace rm::tensorfile

#endif  // RM_RUNTIME_TENSORFILE_HALF_H_
