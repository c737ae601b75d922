// Vectorised loop of the update of Adam and AdamW.
//
// Every pointer may be unaligned; an output may be the very memory of its input (in place), but may
// not overlap one otherwise. Results do not depend on how a range is cut into calls. Thread-safe.
#ifndef RM_KERNELS_CPU_ADAM_LOOPS_H_
#define RM_KERNELS_CPU_ADAM_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// The numbers of AdamUpdate's `hyper` operand, in its order (kernels/api/op.h).
struct AdamRule {
  float rate;
  float beta1, rest1;  // rest1 = 1 − beta1, rounded once
  float beta2, rest2;
  float epsilon;
  float decay;
  float keep;
  float correction;
  float scale;
};

// Where the three arrays of state lie, before and after.
struct AdamMemory {
  const float* w;
  const float* g;
  const float* m;
  const float* v;
  float* w_out;
  float* m_out;
  float* v_out;
};

struct AdamLoops {
  // w, m and v of elements [begin, end) by the rule of op.h, in one pass.
  void (*adam)(const AdamMemory& memory, int64_t begin, int64_t end, const AdamRule& rule);
};

namespace v1 {
extern const AdamLoops kAdamLoops;
}
namespace v3 {
extern const AdamLoops kAdamLoops;
}
namespace v4 {
extern const AdamLoops kAdamLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_ADAM_LOOPS_H_
