// Vectorised softmax of rows, its gradients, and the gradient of its cross-entropy.
#ifndef RM_KERNELS_CPU_SOFTMAX_LOOPS_H_
#define RM_KERNELS_CPU_SOFTMAX_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// Rows of n ≥ 1 elements, unaligned. Exponentials are good to 2 units in the last place.
// Thread-safe.
struct SoftmaxLoops {
  // probabilities = softmax(x), and returns log Σ exp(x). A NaN in x makes all results NaN.
  // REQUIRES: probabilities is not nullptr and does not overlap x.
  double (*softmax)(const float* x, float* probabilities, int64_t n);
  // y = factor · (x − shift); in place allowed.
  void (*shift_and_scale)(const float* x, float shift, float factor, float* y, int64_t n);
  // The softmax of each of `rows` rows, or its logarithm. A row of −∞ alone becomes NaN. In place
  // allowed for the logarithm only.
  void (*rows)(const float* x, float* y, int64_t rows, int64_t n);
  void (*log_rows)(const float* x, float* y, int64_t rows, int64_t n);
  // SoftmaxGrad and LogSoftmaxGrad of op.h; dx may be dy's memory.
  void (*grad_rows)(const float* dy, const float* y, float* dx, int64_t rows, int64_t n);
  void (*log_grad_rows)(const float* dy, const float* y, float* dx, int64_t rows, int64_t n);
};

namespace v1 {
extern const SoftmaxLoops kSoftmaxLoops;
}
namespace v3 {
extern const SoftmaxLoops kSoftmaxLoops;
}
namespace v4 {
extern const SoftmaxLoops kSoftmaxLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_SOFTMAX_LOOPS_H_
