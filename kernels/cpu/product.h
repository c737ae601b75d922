// The product of two plain matrices: which of oneDNN's ways is fastest for a shape.
#ifndef RM_KERNELS_CPU_PRODUCT_H_
#define RM_KERNELS_CPU_PRODUCT_H_

#include <cstdint>

namespace rm::kernels::cpu {

// op(A) (M, K) times op(B) (K, N). A lies in memory as (M, K), or as (K, M) when transposed; so B.
struct ProductShape {
  int64_t m, n, k;
  bool trans_a, trans_b;
};

enum class ProductForm {
  kMatMul,       // the matmul primitive, which adds a bias row and applies relu as it goes
  kSgemm,        // the BLAS function
  kPackedSgemm,  // the BLAS function on panels of B copied side by side
};

// The rule, made from measurements (Zen 5, one thread, GFLOP/s; AVX2 by ONEDNN_MAX_CPU_ISA). It
// goes by shape and instruction set only, never by a timing.
//   AVX-512  The first two are level (215 to 240) but for a deep K (64×128×9216: matmul 207, sgemm
//            152) and for few rows (8×512×256: sgemm 219, matmul 124).
//   AVX2     They are one code. Where B's rows are a multiple of 2 KiB apart, a column falls on
//            few cache sets: 128×1024×256 makes 64, 64×9216×128 makes 64, 256×512×128 makes 88;
//            from packed panels they make 113, 107 and 116.
[[nodiscard]] ProductForm ChooseProductForm(const ProductShape& shape);

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_PRODUCT_H_
