// Gemm as a kernel around oneDNN's BLAS function, for what its matmul primitive does not take or
// does more slowly.
#ifndef RM_KERNELS_CPU_SGEMM_KERNEL_H_
#define RM_KERNELS_CPU_SGEMM_KERNEL_H_

#include <memory>

#include "absl/status/status.h"
#include "kernels/api/kernel.h"
#include "kernels/cpu/product.h"

namespace rm::kernels::cpu {

// What is done to the product: Y = activation(alpha · product + beta · C).
struct ProductEnding {
  float alpha = 1;
  float beta = 1;
  bool relu = false;
  // How far to step in C (input 2, if there is one) for the next row and column of Y.
  int64_t c_row_stride = 0;
  int64_t c_column_stride = 0;
};

// Y = op(A) · op(B) + beta · Y, all plain, by the threads of the latest UseThreads. Internal when oneDNN
// refuses. REQUIRES: no dimension is 0. Thread-safe.
[[nodiscard]] absl::Status Sgemm(const ProductShape& shape, const float* a, const float* b,
                                 float beta, float* y);

// Inputs A, B[, C], output Y, all plain. `packed`: by panels of B (ProductForm::kPackedSgemm).
// REQUIRES: no dimension is 0; B is not transposed when packed.
[[nodiscard]] std::unique_ptr<Kernel> MakeSgemmKernel(const ProductShape& shape, bool packed,
                                                      const ProductEnding& ending, int threads);

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_SGEMM_KERNEL_H_
