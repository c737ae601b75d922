// Vectorised loop of Dropout: random words and the mask they make, in registers only.
//
// `x` and `y` may be unaligned, and may be the same memory. Results do not depend on how a range is
// cut into calls. Thread-safe.
#ifndef RM_KERNELS_CPU_DROPOUT_LOOPS_H_
#define RM_KERNELS_CPU_DROPOUT_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// One sample's numbers; see kernels/api/dropout.h.
struct DropoutRule {
  uint32_t low, high;  // halves of the sample's key
  uint32_t threshold;  // words below it are dropped
  float factor;        // for what is kept
};

struct DropoutLoops {
  // Elements [begin, end) of a sample that begins at x and y.
  void (*dropout)(const float* x, float* y, int64_t begin, int64_t end, const DropoutRule& rule);
};

namespace v1 {
extern const DropoutLoops kDropoutLoops;
}
namespace v3 {
extern const DropoutLoops kDropoutLoops;
}
namespace v4 {
extern const DropoutLoops kDropoutLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_DROPOUT_LOOPS_H_
