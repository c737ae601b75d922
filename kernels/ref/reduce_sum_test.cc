#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

Values ReduceSum(const Attributes& attributes, const Shape& x_shape, const Values& x,
                 const Shape& y_shape) {
  const OpInstance op{"ReduceSum", attributes, {Floats(x_shape)}, {Floats(y_shape)}};
  const auto result = Compute(Table(), op, {x});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

const Values kSix{1, 2, 3, 4, 5, 6};

TEST_CASE("rows, columns and everything are summed") {
  CHECK(ReduceSum({{"axes", Ints{0}}}, {2, 3}, kSix, {1, 3}) == Values{5, 7, 9});
  CHECK(ReduceSum({{"axes", Ints{1}}}, {2, 3}, kSix, {2, 1}) == Values{6, 15});
  CHECK(ReduceSum({{"axes", Ints{0, 1}}}, {2, 3}, kSix, {1, 1}) == Values{21});
}

TEST_CASE("no axes mean all of them") {
  CHECK(ReduceSum({}, {2, 3}, kSix, {1, 1}) == Values{21});
  CHECK(ReduceSum({{"keepdims", int64_t{0}}}, {2, 3}, kSix, {}) == Values{21});
}

TEST_CASE("negative axes count from the back, and keepdims 0 drops them") {
  CHECK(ReduceSum({{"axes", Ints{-1}}, {"keepdims", int64_t{0}}}, {2, 3}, kSix, {2}) ==
        Values{6, 15});
}

TEST_CASE("axes need not be neighbours") {
  CHECK(ReduceSum({{"axes", Ints{0, 2}}}, {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 1}) ==
        Values{14, 22});
}

TEST_CASE("small terms are not lost beside a large one") {
  Values x(4097, 1.0F);
  x[0] = 16777216.0F;  // 2^24: adding 1 in float32 changes nothing
  CHECK(ReduceSum({}, {4097}, x, {1}) == Values{16781312.0F});
}

TEST_CASE("the sum of nothing is zero") {
  CHECK(ReduceSum({{"axes", Ints{0}}}, {0, 2}, {}, {1, 2}) == Values{0, 0});
}

}  // namespace
}  // namespace rm::kernels::ref
