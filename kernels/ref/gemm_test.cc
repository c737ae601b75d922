#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

// A = [1 2 3; 4 5 6], B = [1 0; 0 1; 2 -3]: A·B = [7 -7; 16 -13].
const Values kA{1, 2, 3, 4, 5, 6};
const Values kTransposedA{1, 4, 2, 5, 3, 6};
const Values kB{1, 0, 0, 1, 2, -3};
const Values kTransposedB{1, 0, 2, 0, 1, -3};

OpInstance Gemm(const Attributes& attributes, const Shape& a, const Shape& b) {
  return {"Gemm", attributes, {Floats(a), Floats(b)}, {Floats({2, 2})}};
}

Values Run(const OpInstance& op, const std::vector<Values>& inputs) {
  const auto result = Compute(Table(), op, inputs);
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

Values WithC(const Attributes& attributes, const Shape& shape, const Values& c) {
  OpInstance op = Gemm(attributes, {2, 3}, {3, 2});
  op.inputs.push_back(Floats(shape));
  return Run(op, {kA, kB, c});
}

TEST_CASE("the product is the same in all four forms") {
  const Values product{7, -7, 16, -13};
  CHECK(Run(Gemm({}, {2, 3}, {3, 2}), {kA, kB}) == product);
  CHECK(Run(Gemm({{"transA", int64_t{1}}}, {3, 2}, {3, 2}), {kTransposedA, kB}) == product);
  CHECK(Run(Gemm({{"transB", int64_t{1}}}, {2, 3}, {2, 3}), {kA, kTransposedB}) == product);
  CHECK(Run(Gemm({{"transA", int64_t{1}}, {"transB", int64_t{1}}}, {3, 2}, {2, 3}),
            {kTransposedA, kTransposedB}) == product);
}

TEST_CASE("C is added as a matrix, a row, a column or a number") {
  CHECK(WithC({}, {2, 2}, {1, 2, 3, 4}) == Values{8, -5, 19, -9});
  CHECK(WithC({}, {2}, {1, 2}) == Values{8, -5, 17, -11});
  CHECK(WithC({}, {1, 2}, {1, 2}) == Values{8, -5, 17, -11});
  CHECK(WithC({}, {2, 1}, {1, 2}) == Values{8, -6, 18, -11});
  CHECK(WithC({}, {1}, {1}) == Values{8, -6, 17, -12});
  CHECK(WithC({}, {}, {1}) == Values{8, -6, 17, -12});
}

TEST_CASE("alpha scales the product and beta scales C") {
  CHECK(WithC({{"alpha", 2.0F}, {"beta", 0.5F}}, {2}, {2, 4}) == Values{15, -12, 33, -24});
}

TEST_CASE("the activation is applied last") {
  CHECK(WithC({{"activation", std::string("relu")}}, {2}, {-10, 10}) == Values{0, 3, 6, 0});
}

TEST_CASE("an empty inner dimension leaves C") {
  OpInstance op{"Gemm", {}, {Floats({1, 0}), Floats({0, 2}), Floats({2})}, {Floats({1, 2})}};
  CHECK(Run(op, {{}, {}, {3, 4}}) == Values{3, 4});
}

}  // namespace
}  // namespace rm::kernels::ref
