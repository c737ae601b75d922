// Exponential and its relatives for vectors of floats. For *_isa.cc files only.
//
// All of them take any float, keep a NaN, and are within 3 units in the last place of the true
// value, which their test holds against double for every build; a result below float32's normal
// numbers may be 0. Internal linkage, as in vector.h.
#ifndef RM_KERNELS_CPU_VECTOR_MATH_H_
#define RM_KERNELS_CPU_VECTOR_MATH_H_

#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// a where the mask is −1, b where it is 0. (g++ selects by `mask ? a : b`, too; this is a name.)
inline Floats Select(Ints mask, Floats a, Floats b) { return mask ? a : b; }

inline Ints BitsOf(Floats x) {
  Ints bits;
  __builtin_memcpy(&bits, &x, sizeof(bits));
  return bits;
}

inline Floats FromBits(Ints bits) {
  Floats x;
  __builtin_memcpy(&x, &bits, sizeof(x));
  return x;
}

// |x| and x's sign bit.
inline Floats Magnitude(Floats x) { return FromBits(BitsOf(x) & 0x7FFFFFFF); }
inline Floats WithSignOf(Floats magnitude, Floats sign) {
  return FromBits(BitsOf(magnitude) | (BitsOf(sign) & INT32_MIN));
}

// 2^k for −126 ≤ k ≤ 127, by its exponent bits.
inline Floats PowerOfTwo(Ints k) { return FromBits((k + 127) << 23); }

// exp(x) = 2^k · exp(r) with r = x − k · ln 2, |r| ≤ ln 2 / 2, and exp(r) by its Taylor polynomial
// of degree 7 (relative error 5e-9 there). 0 below −87, infinity above 88.73. The power of two is
// taken in two halves, as 2^128 · 0.9 is a float32, but 2^128 is not.
inline Floats Exp(Floats x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;    // few bits, so that k · kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4F;  // ln 2 − kLn2High
  constexpr float kRound = 12582912.0F;       // 1.5 · 2^23: adding it rounds to an integer
  constexpr float kLeast = -87.0F;
  constexpr float kMost = 88.72283F;
  const Floats raised = Select(x < kLeast, Broadcast(kLeast), x);
  const Floats clamped = Select(raised > kMost, Broadcast(kMost), raised);
  const Floats k = (clamped * kLog2E + kRound) - kRound;
  const Floats r = (clamped - k * kLn2High) - k * kLn2Low;
  Floats p = Broadcast(1.0F / 5040);
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  // A NaN has no k; its p is NaN whatever the power is.
  const Ints whole = __builtin_convertvector(k, Ints);
  const Ints half = whole >> 1;
  const Floats y = p * PowerOfTwo(half) * PowerOfTwo(whole - half);
  const Floats bounded = Select(x > kMost, Broadcast(__builtin_inff()), y);
  return Select(x < kLeast, Floats{}, bounded);
}

// 1 / (1 + exp(−x)): far below 0 it is exp(x), and as accurate.
inline Floats Sigmoid(Floats x) { return 1.0F / (1.0F + Exp(-x)); }

// Of |x|, with the sign of x. Near 0 an odd polynomial, fitted to tanh(x) = x + x³ · P(x²) for
// |x| ≤ 0.65; elsewhere 1 − 2 / (exp(2|x|) + 1), which loses digits near 0 alone.
inline Floats Tanh(Floats x) {
  const Floats z = Magnitude(x);
  const Floats s = x * x;
  Floats p = Broadcast(-5.52863302e-3F);
  p = p * s + 2.04833150e-2F;
  p = p * s - 5.36929667e-2F;
  p = p * s + 0.133308992F;
  p = p * s - 0.333332628F;
  const Floats small = z + z * (s * p);
  const Floats large = 1.0F - 2.0F / (Exp(z + z) + 1.0F);
  return WithSignOf(Select(z < 0.625F, small, large), x);
}

// Of |x|, with the sign of x. Near 0 an odd polynomial, fitted to erf(x) = x + x · P(x²) for
// |x| ≤ 0.93; elsewhere 1 − exp(−Q(|x|)), fitted to −log(1 − erf) up to 3.95, beyond which it is 1.
inline Floats Erf(Floats x) {
  const Floats z = Magnitude(x);
  const Floats s = x * x;
  Floats p = Broadcast(8.31677535e-5F);
  p = p * s - 8.13001243e-4F;
  p = p * s + 5.19990688e-3F;
  p = p * s - 2.68589407e-2F;
  p = p * s + 0.112836875F;
  p = p * s - 0.376126319F;
  p = p * s + 0.128379226F;
  const Floats small = z + z * p;
  // A NaN is not above the bound, and stays.
  const Floats t = Select(z > 3.95F, Broadcast(3.95F), z);
  Floats q = Broadcast(2.10949711e-5F);
  q = q * t - 4.34461748e-4F;
  q = q * t + 4.17105900e-3F;
  q = q * t - 2.51194183e-2F;
  q = q * t + 0.108280078F;
  q = q * t + 0.633346915F;
  q = q * t + 1.12951493F;
  q = q * t - 1.74683286e-4F;
  const Floats large = 1.0F - Exp(-q);
  return WithSignOf(Select(z < 0.92F, small, large), x);
}

}  // namespace
}  // namespace rm::kernels::cpu::RM_ISA

#endif  // RM_KERNELS_CPU_VECTOR_MATH_H_
