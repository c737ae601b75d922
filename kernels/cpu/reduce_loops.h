// Vectorised sums along one axis.
#ifndef RM_KERNELS_CPU_REDUCE_LOOPS_H_
#define RM_KERNELS_CPU_REDUCE_LOOPS_H_

#include <cstdint>

namespace rm::kernels::cpu {

// Sums are taken in float32, in parts that are added up at the end, so the rounding error grows
// much slower than the number of terms. The order of additions depends on the sizes only.
// Thread-safe.
struct ReduceLoops {
  // y[r] = Σ_c x[r · columns + c]
  void (*rows)(const float* x, float* y, int64_t rows, int64_t columns);
  // y[c] = Σ_r x[r · stride + c] for `columns` neighbouring columns of a matrix of width `stride`.
  void (*columns)(const float* x, float* y, int64_t rows, int64_t columns, int64_t stride);
};

namespace v1 {
extern const ReduceLoops kReduceLoops;
}
namespace v3 {
extern const ReduceLoops kReduceLoops;
}
namespace v4 {
extern const ReduceLoops kReduceLoops;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_REDUCE_LOOPS_H_
