// Vectorised functions of one tensor, and their gradients.
//
// What each computes is said in kernels/api/op.h; functions are within 3 units in the last place of
// the true value, but Gelu below 0, whose error is that of Gelu above 0. Every pointer may be
// unaligned. An output may be the very memory of an input (in place), but may not overlap one
// otherwise. `n` is a number of elements ≥ 0. Results do not depend on how a range is cut into
// calls. Thread-safe.
#ifndef RM_KERNELS_CPU_FUNCTION_LOOPS_H_
#define RM_KERNELS_CPU_FUNCTION_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// The numbers in a function's attributes: Clip's min and max, HardSigmoid's alpha and beta, the
// alpha of Elu and LeakyRelu.
struct FunctionNumbers {
  float a = 0;
  float b = 0;
};

struct FunctionLoops {
  // y = f(x)
  using Function = void(const float* x, float* y, int64_t n, const FunctionNumbers& numbers);
  Function *abs, *clip, *elu, *erf, *exp, *gelu, *gelu_tanh, *hard_sigmoid, *hard_swish,
      *leaky_relu, *neg, *reciprocal, *sigmoid, *sqrt, *tanh;
  // dx = dy · f'(by), `by` being X or Y as op.h says
  using Slope = void(const float* dy, const float* by, float* dx, int64_t n,
                     const FunctionNumbers& numbers);
  Slope *clip_grad, *elu_grad, *erf_grad, *gelu_grad, *gelu_tanh_grad, *hard_sigmoid_grad,
      *hard_swish_grad, *leaky_relu_grad, *reciprocal_grad, *sigmoid_grad, *sqrt_grad, *tanh_grad;
};

namespace v1 {
extern const FunctionLoops kFunctionLoops;
}
namespace v3 {
extern const FunctionLoops kFunctionLoops;
}
namespace v4 {
extern const FunctionLoops kFunctionLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_FUNCTION_LOOPS_H_
