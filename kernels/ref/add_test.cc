#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

Values Add(const Shape& a_shape, const Values& a, const Shape& b_shape, const Values& b,
           const Shape& y_shape) {
  const OpInstance op{"Add", {}, {Floats(a_shape), Floats(b_shape)}, {Floats(y_shape)}};
  const auto result = Compute(Table(), op, {a, b});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("equal shapes are added element by element") {
  CHECK(Add({2, 2}, {1, 2, 3, 4}, {2, 2}, {10, 20, 30, 40}, {2, 2}) == Values{11, 22, 33, 44});
}

TEST_CASE("a row is added to every row") {
  CHECK(Add({2, 3}, {1, 2, 3, 4, 5, 6}, {3}, {10, 20, 30}, {2, 3}) ==
        Values{11, 22, 33, 14, 25, 36});
}

TEST_CASE("a column is added to every column") {
  CHECK(Add({2, 3}, {1, 2, 3, 4, 5, 6}, {2, 1}, {10, 20}, {2, 3}) ==
        Values{11, 12, 13, 24, 25, 26});
}

TEST_CASE("both operands stretch") {
  CHECK(Add({2, 1}, {1, 2}, {1, 3}, {10, 20, 30}, {2, 3}) == Values{11, 21, 31, 12, 22, 32});
}

TEST_CASE("a scalar is added to everything") {
  CHECK(Add({}, {5}, {1, 3}, {1, 2, 3}, {1, 3}) == Values{6, 7, 8});
}

}  // namespace
}  // namespace rm::kernels::ref
