#include "kernels/cpu/product.h"

#include <catch2/catch.hpp>

#include "kernels/cpu/onednn.h"

namespace rm::kernels::cpu {
namespace {

TEST_CASE("the form follows the measured rule") {
  const struct {
    ProductShape shape;
    ProductForm avx512, avx2;
  } cases[] = {
      // The mlp's and the convnet's layers: forward, input gradient, weight gradient.
      {{128, 512, 784, false, true}, ProductForm::kMatMul, ProductForm::kMatMul},
      {{128, 512, 256, false, false}, ProductForm::kMatMul, ProductForm::kPackedSgemm},
      {{512, 784, 128, true, false}, ProductForm::kMatMul, ProductForm::kMatMul},
      {{64, 128, 9216, false, true}, ProductForm::kMatMul, ProductForm::kMatMul},
      {{64, 9216, 128, false, false}, ProductForm::kMatMul, ProductForm::kPackedSgemm},
      {{128, 9216, 64, true, false}, ProductForm::kMatMul, ProductForm::kPackedSgemm},
      // Few rows.
      {{8, 512, 784, false, true}, ProductForm::kSgemm, ProductForm::kMatMul},
      {{32, 500, 256, false, false}, ProductForm::kSgemm, ProductForm::kMatMul},
      {{8, 128, 9216, false, true}, ProductForm::kMatMul, ProductForm::kMatMul},
      // Packing does not pay for a shallow product.
      {{512, 1024, 8, true, false}, ProductForm::kMatMul, ProductForm::kMatMul},
  };
  for (const auto& c : cases) {
    INFO(c.shape.m << "×" << c.shape.n << "×" << c.shape.k);
    CHECK(ChooseProductForm(c.shape) == (OneDnnHasAvx512() ? c.avx512 : c.avx2));
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
