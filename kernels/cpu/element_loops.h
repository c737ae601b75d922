// Vectorised loops over elements: the activation, sums of two tensors, the optimizer's update.
//
// Every pointer may be unaligned. An output may be the very memory of an input (in place), but may
// not overlap one otherwise. `n` is a number of elements ≥ 0. Results do not depend on how a range
// is cut into calls. Thread-safe.
#ifndef RM_KERNELS_CPU_ELEMENT_LOOPS_H_
#define RM_KERNELS_CPU_ELEMENT_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// The numbers of SgdUpdate's `hyper` operand.
struct SgdRule {
  float rate;
  float momentum;
  float decay;
  bool nesterov;
  float scale;  // of the gradient
};

struct ElementLoops {
  // y = max(x, 0); a NaN stays.
  void (*relu)(const float* x, float* y, int64_t n);
  // dx = y > 0 ? dy : 0
  void (*relu_grad)(const float* dy, const float* y, float* dx, int64_t n);
  // y = a + b
  void (*add)(const float* a, const float* b, float* y, int64_t n);
  // y = x + value
  void (*add_number)(const float* x, float value, float* y, int64_t n);
  // w and m by the rule of op.h, in one pass.
  void (*sgd)(const float* w, const float* g, const float* m, float* w_out, float* m_out, int64_t n,
              const SgdRule& rule);
};

namespace v1 {
extern const ElementLoops kElementLoops;
}
namespace v3 {
extern const ElementLoops kElementLoops;
}
namespace v4 {
extern const ElementLoops kElementLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_ELEMENT_LOOPS_H_
