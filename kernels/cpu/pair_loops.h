// Vectorised arithmetic of two tensors, and Where.
//
// Every pointer may be unaligned. The output may be the very memory of an operand that lies side by
// side with it, but may not overlap one otherwise. `n` is a number of elements ≥ 0. Results do not
// depend on how a range is cut into calls. Thread-safe.
#ifndef RM_KERNELS_CPU_PAIR_LOOPS_H_
#define RM_KERNELS_CPU_PAIR_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

struct PairLoops {
  // y = f(a, b), element by element; of `by_number` b, and of `of_number` a, is a single number.
  using Loop = void(const float* a, const float* b, float* y, int64_t n);
  struct Forms {
    Loop *both, *by_number, *of_number;
  };
  Forms add, sub, mul, div;

  // z = condition ? x : y, each of the three side by side with z or one element (repeats…).
  void (*where)(const uint8_t* condition, const float* x, bool repeats_x, const float* y,
                bool repeats_y, float* z, int64_t n);
};

namespace v1 {
extern const PairLoops kPairLoops;
}
namespace v3 {
extern const PairLoops kPairLoops;
}
namespace v4 {
extern const PairLoops kPairLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_PAIR_LOOPS_H_
