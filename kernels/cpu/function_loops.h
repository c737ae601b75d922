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

struct FunctionLoops {
  // y = f(x)
  using Function = void(const float* x, float* y, int64_t n);
  Function *abs, *erf, *exp, *gelu, *gelu_tanh, *hard_swish, *neg, *reciprocal, *sigmoid, *sqrt,
      *tanh;
  // dx = dy · f'(by), `by` being X or Y as op.h says
  using Slope = void(const float* dy, const float* by, float* dx, int64_t n);
  Slope *erf_grad, *gelu_grad, *gelu_tanh_grad, *hard_swish_grad, *reciprocal_grad, *sigmoid_grad,
      *sqrt_grad, *tanh_grad;
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
