#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::RunEntry;
using testing::Tensor;
using Values = std::vector<float>;

constexpr DType kDTypes[] = {DType::kFloat32, DType::kInt64, DType::kInt32, DType::kUInt8,
                             DType::kBool};

Operand Vector(DType dtype, int64_t n) { return {TensorType{dtype, {n}}, true}; }

Values Cast(DType from, DType to, const Values& values) {
  const auto n = static_cast<int64_t>(values.size());
  const OpInstance op{
      "Cast", {{"to", std::string(DTypeName(to))}}, {Vector(from, n)}, {Vector(to, n)}};
  const auto result = Compute(Table(), op, {values});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("what fits into both dtypes stays what it is") {
  for (const DType from : kDTypes) {
    for (const DType to : kDTypes) {
      INFO(DTypeName(from) << " to " << DTypeName(to));
      CHECK(Cast(from, to, {0, 1, 1}) == Values{0, 1, 1});
    }
  }
}

TEST_CASE("from a float the fraction is dropped, and the range ends where it ends") {
  CHECK(Cast(DType::kFloat32, DType::kInt64, {1.9F, -1.9F, 0.5F}) == Values{1, -1, 0});
  CHECK(Cast(DType::kFloat32, DType::kUInt8, {255.5F, 256, -1, 1e20F}) ==
        Values{255, 255, 0, 255});
  CHECK(Cast(DType::kFloat32, DType::kInt32, {NAN, 3e9F, -3e9F}) ==
        Values{0, 2147483648.0F, -2147483648.0F});
  CHECK(Cast(DType::kFloat32, DType::kInt64, {INFINITY, -INFINITY}) ==
        Values{9223372036854775808.0F, -9223372036854775808.0F});
}

TEST_CASE("what is not zero is true") {
  CHECK(Cast(DType::kFloat32, DType::kBool, {0.0F, -0.0F, 0.25F, NAN}) == Values{0, 0, 1, 1});
  CHECK(Cast(DType::kInt64, DType::kBool, {0, 256, -1}) == Values{0, 1, 1});
}

TEST_CASE("a large int64 keeps its low bits") {
  const OpInstance op{"Cast", {{"to", std::string("int32")}}, {Vector(DType::kInt64, 1)},
                      {Vector(DType::kInt32, 1)}};
  Tensor x(op.inputs[0].type);
  Tensor y(op.outputs[0].type);
  *static_cast<int64_t*>(x.data()) = (int64_t{5} << 32) + 7;
  REQUIRE(RunEntry(*FindKernel(Table(), op), op, {&x}, {&y}).ok());
  CHECK(*static_cast<const int32_t*>(y.data()) == 7);
}

TEST_CASE("IsNaN finds NaNs alone, and Not turns truth around") {
  const Operand truth = Vector(DType::kBool, 3);
  const OpInstance is_nan{"IsNaN", {}, {Vector(DType::kFloat32, 3)}, {truth}};
  CHECK(Compute(Table(), is_nan, {{1, NAN, INFINITY}})->at(0) == Values{0, 1, 0});
  CHECK(Compute(Table(), {"Not", {}, {truth}, {truth}}, {{0, 1, 0}})->at(0) == Values{1, 0, 1});
}

}  // namespace
}  // namespace rm::kernels::ref
