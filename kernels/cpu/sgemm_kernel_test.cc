#include "kernels/cpu/sgemm_kernel.h"

#include <catch2/catch.hpp>

#include "base/random.h"
#include "kernels/api/testing.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using testing::Tensor;
using Values = std::vector<float>;

// Small whole numbers: every product and sum is exact, whatever its order.
Tensor Whole(const Shape& shape, uint64_t stream) {
  base::RandomStream random(1, stream);
  Tensor tensor(Floats(shape).type);
  Values values(static_cast<size_t>(ElementCount(shape)));
  for (float& value : values) value = static_cast<float>(random.NextBelow(7)) - 3;
  tensor.Fill(values);
  return tensor;
}

Values Run(Kernel& kernel, const ProductShape& s, const Tensor& a, const Tensor& b,
           const Tensor* c) {
  Tensor y(Floats({s.m, s.n}).type);
  const auto bytes = static_cast<int64_t>(kernel.scratch_bytes());
  Tensor scratch({DType::kUInt8, {bytes}, Layout::kPlain});
  const void* inputs[] = {a.data(), b.data(), c != nullptr ? c->data() : nullptr};
  void* outputs[] = {y.data()};
  REQUIRE(kernel.Run({inputs, outputs, scratch.data()}).ok());
  REQUIRE(scratch.GuardsAreIntact());
  REQUIRE(y.GuardsAreIntact());
  return y.values();
}

TEST_CASE("packed panels give the very product") {
  for (const bool trans_a : {false, true}) {
    for (const int64_t n : {1, 191, 192, 193, 500}) {
      const ProductShape s{5, n, 33, trans_a, false};
      const Tensor a = Whole(trans_a ? Shape{33, 5} : Shape{5, 33}, 1);
      const Tensor b = Whole({33, n}, 2);
      const auto plain = MakeSgemmKernel(s, false, {}, 1);
      const auto packed = MakeSgemmKernel(s, true, {}, 1);
      CHECK(plain->scratch_bytes() == 0);
      INFO("n " << n);
      CHECK(Run(*packed, s, a, b, nullptr) == Run(*plain, s, a, b, nullptr));
    }
  }
}

TEST_CASE("the ending scales, adds C in each of its forms, and cuts at zero") {
  // [1 2] · [3 4; 5 6] = [13 16]
  const ProductShape s{1, 2, 2, false, false};
  const Tensor a(Floats({1, 2}).type, {1, 2});
  const Tensor b(Floats({2, 2}).type, {3, 4, 5, 6});
  const Tensor c(Floats({2}).type, {10, -20});
  const struct {
    ProductEnding ending;
    Values y;
  } cases[] = {
      {{1, 1, false, 0, 1}, {23, -4}},
      {{1, 1, true, 0, 1}, {23, 0}},
      {{2, 0.5F, false, 0, 1}, {31, 22}},
      {{1, 1, false, 0, 0}, {23, 26}},  // C[0] for all
  };
  for (const auto& test : cases) {
    for (const bool packed : {false, true}) {
      CHECK(Run(*MakeSgemmKernel(s, packed, test.ending, 1), s, a, b, &c) == test.y);
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
