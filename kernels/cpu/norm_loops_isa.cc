#include <math.h>  // not <cmath>: its overloads are inline functions

#include "kernels/cpu/norm_loops.h"
#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

// Two sums of one pass over a row.
struct Pair {
  float first, second;
};

// Parts meet in pairs, then lane by lane.
inline float Total(const Floats* parts) {
  return SumLanes((parts[0] + parts[1]) + (parts[2] + parts[3]));
}

// Four vectors are summed at once, which hides the latency of an addition.
float Sum(const float* x, int64_t n) {
  Floats parts[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int64_t p = 0; p < 4; ++p) parts[p] += Load(x + i + p * kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) parts[0] += Load(x + i);
  float tail = 0;
  for (; i < n; ++i) tail += x[i];
  return Total(parts) + tail;
}

// Σ (x − mean)², in a pass of its own: the difference of two large sums would lose its digits.
float SquaredDifferences(const float* x, float mean, int64_t n) {
  Floats parts[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int64_t p = 0; p < 4; ++p) {
      const Floats d = Load(x + i + p * kLanes) - mean;
      parts[p] += d * d;
    }
  }
  for (; i + kLanes <= n; i += kLanes) {
    const Floats d = Load(x + i) - mean;
    parts[0] += d * d;
  }
  float tail = 0;
  for (; i < n; ++i) tail += (x[i] - mean) * (x[i] - mean);
  return Total(parts) + tail;
}

// y = (x − mean) · inv_std · scale + bias
void Normalize(const float* x, const float* scale, const float* bias, float mean, float inv_std,
               float* y, int64_t n) {
  int64_t i = 0;
  if (bias == nullptr) {
    for (; i + kLanes <= n; i += kLanes) {
      Store(y + i, (Load(x + i) - mean) * inv_std * Load(scale + i));
    }
    for (; i < n; ++i) y[i] = (x[i] - mean) * inv_std * scale[i];
    return;
  }
  for (; i + kLanes <= n; i += kLanes) {
    Store(y + i, (Load(x + i) - mean) * inv_std * Load(scale + i) + Load(bias + i));
  }
  for (; i < n; ++i) y[i] = (x[i] - mean) * inv_std * scale[i] + bias[i];
}

// Statistics that nobody reads are not written; they are computed all the same.
void LayerNorm(const float* x, const float* scale, const float* bias, float epsilon, float* y,
               float* mean, float* inv_std, int64_t rows, int64_t n) {
  const float count = static_cast<float>(n);
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = x + r * n;
    const float row_mean = Sum(from, n) / count;
    const float variance = SquaredDifferences(from, row_mean, n) / count;
    const float row_inv_std = 1 / sqrtf(variance + epsilon);
    if (mean != nullptr) mean[r] = row_mean;
    if (inv_std != nullptr) inv_std[r] = row_inv_std;
    Normalize(from, scale, bias, row_mean, row_inv_std, y + r * n, n);
  }
}

// Σ g and Σ g · N of a row, for g = dY · scale.
Pair GradientSums(const float* dy, const float* x, const float* scale, float mean, float inv_std,
                  int64_t n) {
  Floats sums[4] = {};
  Floats products[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int64_t p = 0; p < 4; ++p) {
      const int64_t at = i + p * kLanes;
      const Floats g = Load(dy + at) * Load(scale + at);
      sums[p] += g;
      products[p] += g * ((Load(x + at) - mean) * inv_std);
    }
  }
  for (; i + kLanes <= n; i += kLanes) {
    const Floats g = Load(dy + i) * Load(scale + i);
    sums[0] += g;
    products[0] += g * ((Load(x + i) - mean) * inv_std);
  }
  Pair tail = {0, 0};
  for (; i < n; ++i) {
    const float g = dy[i] * scale[i];
    tail.first += g;
    tail.second += g * ((x[i] - mean) * inv_std);
  }
  return {Total(sums) + tail.first, Total(products) + tail.second};
}

// What one row, or what is left at its end, adds: for T = Floats or float.
template <typename T>
inline void GradientStep(const float* dy, const float* x, const float* scale, float mean,
                         float inv_std, Pair means, float* dx, float* dscale, float* dbias) {
  const T gradient = LoadAs<T>(dy);
  const T normal = (LoadAs<T>(x) - mean) * inv_std;
  StoreAs<T>(dscale, LoadAs<T>(dscale) + gradient * normal);
  StoreAs<T>(dbias, LoadAs<T>(dbias) + gradient);
  const T g = gradient * LoadAs<T>(scale);
  StoreAs<T>(dx, (g - means.first - normal * means.second) * inv_std);
}

// The second pass over a row finds it in the first-level cache, and the sums over rows stay there.
void LayerNormGrad(const NormGradInputs& in, float* dx, float* dscale, float* dbias, int64_t rows,
                   int64_t n) {
  for (int64_t i = 0; i < n; ++i) dscale[i] = dbias[i] = 0;
  const float count = static_cast<float>(n);
  for (int64_t r = 0; r < rows; ++r) {
    const float* dy = in.dy + r * n;
    const float* x = in.x + r * n;
    const float mean = in.mean[r];
    const float inv_std = in.inv_std[r];
    const Pair sums = GradientSums(dy, x, in.scale, mean, inv_std, n);
    const Pair means = {sums.first / count, sums.second / count};
    float* to = dx + r * n;
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      GradientStep<Floats>(dy + i, x + i, in.scale + i, mean, inv_std, means, to + i, dscale + i,
                           dbias + i);
    }
    for (; i < n; ++i) {
      GradientStep<float>(dy + i, x + i, in.scale + i, mean, inv_std, means, to + i, dscale + i,
                          dbias + i);
    }
  }
}

}  // namespace

extern const NormLoops kNormLoops;
const NormLoops kNormLoops = {&LayerNorm, &LayerNormGrad};

}  // namespace rm::kernels::cpu::RM_ISA
