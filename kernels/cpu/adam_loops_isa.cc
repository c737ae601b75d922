// Whole vectors first, then what is left one by one, by the same operations: a range gives the same
// bits however it is cut. Square root and division are correctly rounded in every instruction set.
#include "kernels/cpu/adam_loops.h"

#include <math.h>  // not <cmath>: its overloads are inline functions

#include "kernels/cpu/vector.h"

namespace rm::kernels::cpu::RM_ISA {
namespace {

inline float SquareRoot(float x) { return sqrtf(x); }

// The vector extension has no root; the compiler makes one instruction of this loop.
inline Floats SquareRoot(Floats x) {
  float lanes[kLanes];
  Store(lanes, x);
  for (int64_t i = 0; i < kLanes; ++i) lanes[i] = sqrtf(lanes[i]);
  return Load(lanes);
}

// One step for T = Floats or float.
template <typename T>
inline void Step(const AdamMemory& memory, int64_t i, const AdamRule& rule) {
  const T w = LoadAs<T>(memory.w + i);
  const T g = rule.scale * LoadAs<T>(memory.g + i) + rule.decay * w;
  const T m = rule.beta1 * LoadAs<T>(memory.m + i) + rule.rest1 * g;
  const T v = rule.beta2 * LoadAs<T>(memory.v + i) + rule.rest2 * (g * g);
  const T root = SquareRoot(v) / rule.correction + rule.epsilon;
  StoreAs<T>(memory.w_out + i, rule.keep * w - rule.rate * m / root);
  StoreAs<T>(memory.m_out + i, m);
  StoreAs<T>(memory.v_out + i, v);
}

void Adam(const AdamMemory& shared_memory, int64_t begin, int64_t end,
          const AdamRule& shared_rule) {
  // Copies: the outputs cannot alias them.
  const AdamMemory memory = shared_memory;
  const AdamRule rule = shared_rule;
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) Step<Floats>(memory, i, rule);
  for (; i < end; ++i) Step<float>(memory, i, rule);
}

}  // namespace

extern const AdamLoops kAdamLoops;
const AdamLoops kAdamLoops = {&Adam};

}  // namespace rm::kernels::cpu::RM_ISA
