#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

Values MatMul(const Shape& a_shape, const Values& a, const Shape& b_shape, const Values& b,
              const Shape& y_shape, const Attributes& attributes = {}) {
  const OpInstance op{"MatMul", attributes, {Floats(a_shape), Floats(b_shape)}, {Floats(y_shape)}};
  const auto result = Compute(Table(), op, {a, b});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("two matrices are multiplied") {
  CHECK(MatMul({2, 3}, {1, 2, 3, 4, 5, 6}, {3, 2}, {1, 0, 0, 1, 2, -3}, {2, 2}) ==
        Values{7, -7, 16, -13});
}

TEST_CASE("vectors are a row on the left and a column on the right") {
  CHECK(MatMul({2}, {1, 2}, {2, 2}, {1, 2, 3, 4}, {2}) == Values{7, 10});
  CHECK(MatMul({2, 2}, {1, 2, 3, 4}, {2}, {1, 2}, {2}) == Values{5, 11});
  CHECK(MatMul({2}, {1, 2}, {2}, {3, 4}, {}) == Values{11});
}

TEST_CASE("each matrix of a batch is multiplied by its own") {
  CHECK(MatMul({2, 1, 2}, {1, 2, 3, 4}, {2, 2, 1}, {1, 1, 10, 100}, {2, 1, 1}) == Values{3, 430});
}

TEST_CASE("one matrix serves a whole batch on either side") {
  CHECK(MatMul({2, 1, 2}, {1, 2, 3, 4}, {2, 1}, {1, 10}, {2, 1, 1}) == Values{21, 43});
  CHECK(MatMul({1, 2}, {1, 10}, {2, 2, 1}, {1, 2, 3, 4}, {2, 1, 1}) == Values{21, 43});
}

TEST_CASE("batches stretch against each other") {
  // A: (2, 1, 1, 1), B: (1, 3, 1, 1) → (2, 3, 1, 1)
  CHECK(MatMul({2, 1, 1, 1}, {2, 3}, {3, 1, 1}, {1, 10, 100}, {2, 3, 1, 1}) ==
        Values{2, 20, 200, 3, 30, 300});
}

TEST_CASE("operands are transposed within their matrices, and the product is scaled") {
  const Attributes a{{"transA", int64_t{1}}};
  const Attributes b{{"transB", int64_t{1}}, {"alpha", 0.5F}};
  CHECK(MatMul({3, 2}, {1, 4, 2, 5, 3, 6}, {3, 2}, {1, 0, 0, 1, 2, -3}, {2, 2}, a) ==
        Values{7, -7, 16, -13});
  CHECK(MatMul({2, 3}, {1, 2, 3, 4, 5, 6}, {2, 3}, {2, 0, 4, 0, 2, -6}, {2, 2}, b) ==
        Values{7, -7, 16, -13});
  // Two stacked matrices against one of another shape.
  CHECK(MatMul({2, 1, 2}, {1, 2, 3, 4}, {2, 1}, {1, 10}, {2, 2, 2},
               {{"transA", int64_t{1}}, {"transB", int64_t{1}}}) ==
        Values{1, 10, 2, 20, 3, 30, 4, 40});
}

}  // namespace
}  // namespace rm::kernels::ref
