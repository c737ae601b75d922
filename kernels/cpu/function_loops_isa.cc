// Each function is written for one vector; Map… runs it over a range. The last elements are put
// into a vector of their own, so that they get the same bits as any others.
#include "kernels/cpu/function_loops.h"
#include "kernels/cpu/vector.h"
#include "kernels/cpu/vector_math.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

constexpr float kSqrtHalf = 0.707106781F;        // √½
constexpr float kSqrtTwoByPi = 0.797884561F;     // √(2 / π)
constexpr float kTwoBySqrtPi = 1.12837917F;      // 2 / √π
constexpr float kDensity = 0.398942280F;         // 1 / √(2π)
constexpr float kCubic = 0.044715F;              // of Gelu's approximation

// The first n < kLanes elements; the others are 1, at which every function is harmless.
inline Floats LoadFirst(const float* from, int64_t n) {
  float buffer[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) buffer[i] = i < n ? from[i] : 1.0F;
  return Load(buffer);
}

inline void StoreFirst(float* to, Floats value, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = value[i];
}

// A function of one tensor and of the attributes' numbers, each in all lanes.
using ByNumbers = Floats(Floats x, Floats a, Floats b);

// The numbers are copied: the output cannot be the memory of a copy.
template <ByNumbers* kFunction>
void MapBy(const float* x, float* y, int64_t n, const FunctionNumbers& numbers) {
  const Floats a = Broadcast(numbers.a);
  const Floats b = Broadcast(numbers.b);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, kFunction(Load(x + i), a, b));
  if (i < n) StoreFirst(y + i, kFunction(LoadFirst(x + i, n - i), a, b), n - i);
}

// dx = dy · slope(by)
template <ByNumbers* kSlope>
void MapSlopeBy(const float* dy, const float* by, float* dx, int64_t n,
                const FunctionNumbers& numbers) {
  const Floats a = Broadcast(numbers.a);
  const Floats b = Broadcast(numbers.b);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(dx + i, Load(dy + i) * kSlope(Load(by + i), a, b));
  if (i < n) {
    const Floats product = LoadFirst(dy + i, n - i) * kSlope(LoadFirst(by + i, n - i), a, b);
    StoreFirst(dx + i, product, n - i);
  }
}

// Most functions have no numbers.
template <Floats (*kFunction)(Floats)>
inline Floats WithoutNumbers(Floats x, Floats /*a*/, Floats /*b*/) {
  return kFunction(x);
}

template <Floats (*kFunction)(Floats)>
void Map(const float* x, float* y, int64_t n, const FunctionNumbers& numbers) {
  MapBy<&WithoutNumbers<kFunction>>(x, y, n, numbers);
}

template <Floats (*kSlope)(Floats)>
void MapSlope(const float* dy, const float* by, float* dx, int64_t n,
              const FunctionNumbers& numbers) {
  MapSlopeBy<&WithoutNumbers<kSlope>>(dy, by, dx, n, numbers);
}

// --- Functions ---

// First a ≤ x, then x ≤ b; a NaN is neither below nor above.
inline Floats Clip(Floats x, Floats a, Floats b) {
  const Floats raised = Select(x < a, a, x);
  return Select(raised > b, b, raised);
}

// Near 0 the exponential less 1 has lost its digits: there it is a polynomial, of degree 7.
inline Floats Elu(Floats x, Floats a, Floats /*b*/) {
  Floats p = Broadcast(1.0F / 5040);
  p = p * x + 1.0F / 720;
  p = p * x + 1.0F / 120;
  p = p * x + 1.0F / 24;
  p = p * x + 1.0F / 6;
  p = p * x + 0.5F;
  const Floats small = x + x * x * p;
  const Floats below = a * Select(x > -0.4F, small, Exp(x) - 1.0F);
  return Select(x > 0.0F, x, below);
}

inline Floats HardSigmoid(Floats x, Floats a, Floats b) {
  return Clip(a * x + b, Floats{}, Broadcast(1.0F));
}

inline Floats LeakyRelu(Floats x, Floats a, Floats /*b*/) { return Select(x > 0.0F, x, a * x); }

inline Floats Neg(Floats x) { return -x; }
inline Floats Reciprocal(Floats x) { return 1.0F / x; }

// The compiler makes one instruction of this loop.
inline Floats Sqrt(Floats x) {
  Floats y;
  for (int64_t i = 0; i < kLanes; ++i) y[i] = __builtin_sqrtf(x[i]);
  return y;
}

inline Floats Gelu(Floats x) { return 0.5F * x * (1.0F + Erf(x * kSqrtHalf)); }

// 2u of ½ (1 + tanh(u)) = sigmoid(2u): one exponential less, and no digits lost where it is small.
inline Floats GeluTanhArgument(Floats x) {
  return 2 * kSqrtTwoByPi * (x + kCubic * x * x * x);
}
inline Floats GeluTanh(Floats x) { return x * Sigmoid(GeluTanhArgument(x)); }

// x / 6 + ½ between 0 and 1.
inline Floats HardShare(Floats x) {
  const Floats share = x * (1.0F / 6) + 0.5F;
  const Floats raised = Select(share < 0.0F, Floats{}, share);
  return Select(raised > 1.0F, Broadcast(1.0F), raised);
}
inline Floats HardSwish(Floats x) { return x * HardShare(x); }

// --- Slopes ---

inline Floats ClipSlope(Floats x, Floats a, Floats b) {
  const Floats above = Select(x < a, Floats{}, Broadcast(1.0F));
  return Select(x > b, Floats{}, above);
}

inline Floats EluSlope(Floats x, Floats a, Floats /*b*/) {
  return Select(x > 0.0F, Broadcast(1.0F), a * Exp(x));
}

inline Floats HardSigmoidSlope(Floats y, Floats a, Floats /*b*/) {
  return Select(y > 0.0F, Select(y < 1.0F, a, Floats{}), Floats{});
}

inline Floats LeakyReluSlope(Floats x, Floats a, Floats /*b*/) {
  return Select(x > 0.0F, Broadcast(1.0F), a);
}

inline Floats ErfSlope(Floats x) { return kTwoBySqrtPi * Exp(-(x * x)); }

inline Floats GeluSlope(Floats x) {
  const Floats share = 0.5F * (1.0F + Erf(x * kSqrtHalf));
  return share + x * (kDensity * Exp(-0.5F * x * x));
}

// d(x · s(2u)) = s + x · s (1 − s) · 2u'. With e = exp(−|2u|) one of s and 1 − s is 1 / (1 + e),
// the other e / (1 + e): neither is made by subtracting from 1.
inline Floats GeluTanhSlope(Floats x) {
  const Floats e = Exp(-Magnitude(GeluTanhArgument(x)));
  const Floats larger = 1.0F / (1.0F + e);
  const Floats smaller = e * larger;
  const Floats argument_slope = 2 * kSqrtTwoByPi * (1.0F + 3 * kCubic * x * x);
  return Select(x < 0.0F, smaller, larger) + x * (smaller * larger) * argument_slope;
}

inline Floats HardSwishSlope(Floats x) {
  const Floats inside = x * (1.0F / 3) + 0.5F;
  const Floats raised = Select(x <= -3.0F, Floats{}, inside);
  return Select(x >= 3.0F, Broadcast(1.0F), raised);
}

inline Floats ReciprocalSlope(Floats y) { return -(y * y); }
inline Floats SigmoidSlope(Floats y) { return y * (1.0F - y); }
inline Floats SqrtSlope(Floats y) { return 0.5F / y; }
// Not 1 − y²: near 1 that loses digits, while 1 − y is exact.
inline Floats TanhSlope(Floats y) { return (1.0F - y) * (1.0F + y); }

}  // namespace

extern const FunctionLoops kFunctionLoops;
const FunctionLoops kFunctionLoops = {
    &Map<Magnitude>,
    &MapBy<Clip>,
    &MapBy<Elu>,
    &Map<Erf>,
    &Map<Exp>,
    &Map<Gelu>,
    &Map<GeluTanh>,
    &MapBy<HardSigmoid>,
    &Map<HardSwish>,
    &MapBy<LeakyRelu>,
    &Map<Neg>,
    &Map<Reciprocal>,
    &Map<Sigmoid>,
    &Map<Sqrt>,
    &Map<Tanh>,
    &MapSlopeBy<ClipSlope>,
    &MapSlopeBy<EluSlope>,
    &MapSlope<ErfSlope>,
    &MapSlope<GeluSlope>,
    &MapSlope<GeluTanhSlope>,
    &MapSlopeBy<HardSigmoidSlope>,
    &MapSlope<HardSwishSlope>,
    &MapSlopeBy<LeakyReluSlope>,
    &MapSlope<ReciprocalSlope>,
    &MapSlope<SigmoidSlope>,
    &MapSlope<SqrtSlope>,
    &MapSlope<TanhSlope>,
};

}  // namespace rm::kernels::cpu::RM_ISA
