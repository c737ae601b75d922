// Vectorised normalisation of rows, forward and backward.
#ifndef RM_KERNELS_CPU_NORM_LOOPS_H_
#define RM_KERNELS_CPU_NORM_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// What the gradient of some rows reads: dY and X (rows, n), scale (n), statistics (rows).
struct NormGradInputs {
  const float* dy;
  const float* x;
  const float* scale;
  const float* mean;
  const float* inv_std;
};

// Rows of n ≥ 1 elements, unaligned. Sums are taken in float32, in as many parts as a vector has
// lanes, times four; their order depends on n only. Thread-safe.
struct NormLoops {
  // y = (x − mean) · inv_std · scale + bias for each row; bias, mean and inv_std may be nullptr.
  void (*layer_norm)(const float* x, const float* scale, const float* bias, float epsilon,
                     float* y, float* mean, float* inv_std, int64_t rows, int64_t n);
  // dx (rows, n; may be dY's memory), and the sums over these rows of dY · N into dscale (n) and of
  // dY into dbias (n), which are overwritten.
  void (*layer_norm_grad)(const NormGradInputs& inputs, float* dx, float* dscale, float* dbias,
                          int64_t rows, int64_t n);
};

namespace v1 {
extern const NormLoops kNormLoops;
}
namespace v3 {
extern const NormLoops kNormLoops;
}
namespace v4 {
extern const NormLoops kNormLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_NORM_LOOPS_H_
