#include <math.h>  // not <cmath>: its overloads are inline functions

#include "kernels/cpu/softmax_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// exp(x) for x ≤ 0: exp(x) = 2^k · exp(r) with r = x − k · ln 2, |r| ≤ ln 2 / 2, and exp(r) by its
// Taylor polynomial of degree 7 (relative error 5e-9 there). Below −87 the result is 0, where
// float32 would be denormal. A NaN stays.
inline Floats Exp(Floats x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;       // few bits, so that k · kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4F;     // ln 2 − kLn2High
  constexpr float kRound = 12582912.0F;          // 1.5 · 2^23: adding it rounds to an integer
  const Ints is_tiny = x < -87.0F;
  const Floats clamped = is_tiny ? Broadcast(-87.0F) : x;
  const Floats shifted = clamped * kLog2E + kRound;
  const Floats k = shifted - kRound;
  const Floats r = (clamped - k * kLn2High) - k * kLn2Low;
  Floats p = Broadcast(1.0F / 5040);
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  // 2^k: k into the exponent bits. A NaN has no k; its p is NaN whatever the power is.
  Floats power;
  const Ints bits = (__builtin_convertvector(k, Ints) + 127) << 23;
  __builtin_memcpy(&power, &bits, sizeof(power));
  return is_tiny ? Floats{} : p * power;
}

// Subtracted before exp, so that no exponential is above 1. A NaN is not found here (no comparison
// with it is true), but in the sum.
float Maximum(const float* x, int64_t n) {
  float maximum = x[0];
  for (int64_t i = 1; i < n; ++i) maximum = x[i] > maximum ? x[i] : maximum;
  return maximum;
}

// Elements i…n−1 of x as a vector; what lies beyond is `fill`.
inline Floats LoadTail(const float* x, int64_t n, float fill) {
  float buffer[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) buffer[i] = i < n ? x[i] : fill;
  return Load(buffer);
}

// Three passes over a row that is in cache by the first: maximum, exponentials and their sum,
// division. The sum's lanes are added once, at the end.
double Softmax(const float* x, float* probabilities, int64_t n) {
  const float maximum = Maximum(x, n);
  Floats sums = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats e = Exp(Load(x + i) - maximum);
    Store(probabilities + i, e);
    sums += e;
  }
  if (i < n) {
    const Floats e = Exp(LoadTail(x + i, n - i, -__builtin_inff()) - maximum);
    for (int64_t j = i; j < n; ++j) probabilities[j] = e[j - i];
    sums += e;
  }
  const float sum = SumLanes(sums);
  const float factor = 1 / sum;
  for (i = 0; i + kLanes <= n; i += kLanes) {
    Store(probabilities + i, Load(probabilities + i) * factor);
  }
  for (; i < n; ++i) probabilities[i] *= factor;
  return static_cast<double>(maximum) + log(static_cast<double>(sum));
}

// The gradient of the loss, for all classes but the label's.
void ShiftAndScale(const float* x, float shift, float factor, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, (Load(x + i) - shift) * factor);
  for (; i < n; ++i) y[i] = (x[i] - shift) * factor;
}

}  // namespace

extern const SoftmaxLoops kSoftmaxLoops;
const SoftmaxLoops kSoftmaxLoops = {&Softmax, &ShiftAndScale};

}  // namespace rm::kernels::cpu::RM_ISA
