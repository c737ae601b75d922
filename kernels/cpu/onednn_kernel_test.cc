#include "kernels/cpu/onednn_kernel.h"

#include <catch2/catch.hpp>

#include "kernels/api/testing.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using testing::Tensor;
using Values = std::vector<float>;

// Y = A · B by a primitive that wants B transposed, and gives Y transposed: both are reordered.
PrimitivePlan Transposing(const OpInstance&) {
  const Desc a = DescribeMatrix(2, 3, false);
  const Desc b = DescribeMatrix(3, 4, false);
  const Desc y = DescribeMatrix(2, 4, false);
  const Desc their_b = DescribeMatrix(3, 4, true);
  const Desc their_y = DescribeMatrix(2, 4, true);
  const auto description =
      DescribeMatMul(a, their_b, Desc(), their_y, PrimitiveAttributes(false));
  PrimitivePlan plan{dnnl::matmul(description), description.scratchpad_desc(), {}, {}};
  plan.inputs = {{DNNL_ARG_SRC, 0, a, a}, {DNNL_ARG_WEIGHTS, 1, b, their_b}};
  plan.outputs = {{DNNL_ARG_DST, 0, y, their_y}};
  return plan;
}

OpInstance MatMul() { return {"MatMul", {}, {Floats({2, 3}), Floats({3, 4})}, {Floats({2, 4})}}; }

TEST_CASE("operands are reordered on their way in and out, through scratch memory") {
  const auto kernel = MakeOneDnnKernel(MatMul(), {}, &Transposing);
  REQUIRE(kernel.ok());
  // Room for B and Y, each rounded up to 64 bytes.
  REQUIRE((*kernel)->scratch_bytes() >= 128);
  Tensor a(Floats({2, 3}).type, {1, 2, 3, 4, 5, 6});
  Tensor b(Floats({3, 4}).type, {1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1});
  Tensor y(Floats({2, 4}).type);
  const auto bytes = static_cast<int64_t>((*kernel)->scratch_bytes());
  Tensor scratch({DType::kUInt8, {bytes}, Layout::kPlain});
  const void* inputs[] = {a.data(), b.data()};
  void* outputs[] = {y.data()};
  for (int run = 0; run < 2; ++run) {
    REQUIRE((*kernel)->Run({inputs, outputs, scratch.data()}).ok());
    CHECK(y.values() == Values{1, 2, 3, 6, 4, 5, 6, 15});
    CHECK(scratch.GuardsAreIntact());
    CHECK(y.GuardsAreIntact());
  }
}

TEST_CASE("what cannot be made is an error that names the instance") {
  const auto kernel = MakeOneDnnKernel(MatMul(), {}, [](const OpInstance&) -> PrimitivePlan {
    throw dnnl::error(dnnl_unimplemented, "no");
  });
  CHECK(kernel.status() == absl::InternalError(
                               "oneDNN could not make MatMul([2, 3], [3, 4]) → [2, 4]: no "
                               "(status 3)"));
}

}  // namespace
}  // namespace rm::kernels::cpu
