#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

Values MatMul(const Shape& a_shape, const Values& a, const Shape& b_shape, const Values& b,
              const Shape& y_shape) {
  const OpInstance op{"MatMul", {}, {Floats(a_shape), Floats(b_shape)}, {Floats(y_shape)}};
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

}  // namespace
}  // namespace rm::kernels::ref
