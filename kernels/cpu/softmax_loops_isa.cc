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
  int64_t i = 0;
  if (n >= kLanes) {
    Floats lanes = Load(x);
    for (i = kLanes; i + kLanes <= n; i += kLanes) {
      const Floats value = Load(x + i);
      lanes = value > lanes ? value : lanes;
    }
    for (int64_t j = 0; j < kLanes; ++j) maximum = lanes[j] > maximum ? lanes[j] : maximum;
  }
  for (; i < n; ++i) maximum = x[i] > maximum ? x[i] : maximum;
  return maximum;
}

// Elements i…n−1 of x as a vector; what lies beyond is `fill`.
inline Floats LoadTail(const float* x, int64_t n, float fill) {
  float buffer[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) buffer[i] = i < n ? x[i] : fill;
  return Load(buffer);
}

// What softmax divides by: the sum of the exponentials, which are written to `y` unless it is
// nullptr. The sum's lanes are added once, at the end.
float Exponentials(const float* x, float maximum, float* y, int64_t n) {
  Floats sums = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats e = Exp(Load(x + i) - maximum);
    if (y != nullptr) Store(y + i, e);
    sums += e;
  }
  if (i < n) {
    const Floats e = Exp(LoadTail(x + i, n - i, -__builtin_inff()) - maximum);
    for (int64_t j = i; y != nullptr && j < n; ++j) y[j] = e[j - i];
    sums += e;
  }
  return SumLanes(sums);
}

// Three passes over a row that is in cache by the first: maximum, exponentials and their sum,
// division.
double Softmax(const float* x, float* probabilities, int64_t n) {
  const float maximum = Maximum(x, n);
  const float sum = Exponentials(x, maximum, probabilities, n);
  const float factor = 1 / sum;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Store(probabilities + i, Load(probabilities + i) * factor);
  }
  for (; i < n; ++i) probabilities[i] *= factor;
  return static_cast<double>(maximum) + log(static_cast<double>(sum));
}

// As above, without a logarithm that nobody reads.
void Rows(const float* x, float* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const float factor = 1 / Exponentials(x, Maximum(x, n), y, n);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) Store(y + i, Load(y + i) * factor);
    for (; i < n; ++i) y[i] *= factor;
  }
}

// (x − maximum) − log Σ exp(x − maximum): two small numbers, where x and log Σ exp(x) may be large.
void LogRows(const float* x, float* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const float maximum = Maximum(x, n);
    const float sum = Exponentials(x, maximum, nullptr, n);
    const float shift = static_cast<float>(log(static_cast<double>(sum)));
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) Store(y + i, (Load(x + i) - maximum) - shift);
    for (; i < n; ++i) y[i] = (x[i] - maximum) - shift;
  }
}

// dx = y · (dy − Σ dy · y)
void GradRows(const float* dy, const float* y, float* dx, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, dy += n, y += n, dx += n) {
    Floats sums[2] = {};
    int64_t i = 0;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
      sums[0] += Load(dy + i) * Load(y + i);
      sums[1] += Load(dy + i + kLanes) * Load(y + i + kLanes);
    }
    for (; i + kLanes <= n; i += kLanes) sums[0] += Load(dy + i) * Load(y + i);
    float sum = SumLanes(sums[0] + sums[1]);
    for (; i < n; ++i) sum += dy[i] * y[i];
    for (i = 0; i + kLanes <= n; i += kLanes) {
      Store(dx + i, (Load(dy + i) - sum) * Load(y + i));
    }
    for (; i < n; ++i) dx[i] = (dy[i] - sum) * y[i];
  }
}

// dx = dy − exp(y) · Σ dy, for y = log softmax
void LogGradRows(const float* dy, const float* y, float* dx, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, dy += n, y += n, dx += n) {
    Floats sums = {};
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) sums += Load(dy + i);
    float sum = SumLanes(sums);
    for (; i < n; ++i) sum += dy[i];
    for (i = 0; i + kLanes <= n; i += kLanes) {
      Store(dx + i, Load(dy + i) - Exp(Load(y + i)) * sum);
    }
    if (i == n) continue;
    const Floats e = Exp(LoadTail(y + i, n - i, 0));
    for (int64_t j = i; j < n; ++j) dx[j] = dy[j] - e[j - i] * sum;
  }
}

// The gradient of the loss, for all classes but the label's.
void ShiftAndScale(const float* x, float shift, float factor, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, (Load(x + i) - shift) * factor);
  for (; i < n; ++i) y[i] = (x[i] - shift) * factor;
}

}  // namespace

extern const SoftmaxLoops kSoftmaxLoops;
const SoftmaxLoops kSoftmaxLoops = {&Softmax,  &ShiftAndScale, &Rows,
                                   &LogRows,  &GradRows,      &LogGradRows};

}  // namespace rm::kernels::cpu::RM_ISA
