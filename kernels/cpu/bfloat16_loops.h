// Vectorised loops over bfloat16 elements: conversions, the activation, sums.
//
// As element_loops.h: pointers may be unaligned; an output may be the very memory of an input of its
// own type, but may not overlap one otherwise; results do not depend on how a range is cut into
// calls. What is computed is computed in float32 and rounded once (kernels/api/bfloat16.h).
// Thread-safe.
#ifndef RM_KERNELS_CPU_BFLOAT16_LOOPS_H_
#define RM_KERNELS_CPU_BFLOAT16_LOOPS_H_

#include <cstdint>

#include "kernels/api/bfloat16.h"

namespace rm::kernels::cpu {

struct Bfloat16Loops {
  void (*widen)(const Bfloat16* from, float* to, int64_t n);
  void (*narrow)(const float* from, Bfloat16* to, int64_t n);
  // y = max(x, 0); a NaN stays.
  void (*relu)(const Bfloat16* x, Bfloat16* y, int64_t n);
  // dx = y > 0 ? dy : 0
  void (*relu_grad)(const Bfloat16* dy, const Bfloat16* y, Bfloat16* dx, int64_t n);
  // y = a + b
  void (*add)(const Bfloat16* a, const Bfloat16* b, Bfloat16* y, int64_t n);
};

namespace v1 {
extern const Bfloat16Loops kBfloat16Loops;
}
namespace v3 {
extern const Bfloat16Loops kBfloat16Loops;
}
namespace v4 {
extern const Bfloat16Loops kBfloat16Loops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_BFLOAT16_LOOPS_H_
