#include "kernels/cpu/product.h"

#include "kernels/cpu/onednn.h"

namespace rm::kernels::cpu {

// The thresholds are where the lines cross on the machine of product.h; between 8 and 32 rows the
// two forms differ by little, so the exact numbers matter little.
ProductForm ChooseProductForm(const ProductShape& shape) {
  if (OneDnnHasAvx512()) {
    const bool few_rows = shape.m <= 8 || (!shape.trans_b && shape.m <= 32);
    return few_rows && shape.k < 4096 ? ProductForm::kSgemm : ProductForm::kMatMul;
  }
  // 512 floats are 2 KiB. Below a depth of 32 the copy costs as much as it saves.
  const bool rows_collide = !shape.trans_b && shape.n % 512 == 0 && shape.k >= 32;
  return rows_collide ? ProductForm::kPackedSgemm : ProductForm::kMatMul;
}

}  // namespace rm::kernels::cpu
