#include "kernels/cpu/product.h"

#include "kernels/cpu/onednn.h"

namespace rm::kernels::cpu {

ProductForm ChooseProductForm(const ProductShape& shape) {
  if (OneDnnHasAvx512()) {
    const bool few_rows = shape.m <= 8 || (!shape.trans_b && shape.m <= 32);
    return few_rows && shape.k < 4096 ? ProductForm::kSgemm : ProductForm::kMatMul;
  }
  const bool rows_collide = !shape.trans_b && shape.n % 512 == 0 && shape.k >= 32;
  return rows_collide ? ProductForm::kPackedSgemm : ProductForm::kMatMul;
}

}  // namespace rm::kernels::cpu
