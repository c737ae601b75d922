#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

Values Reduce(const std::string& what, const Attributes& attributes, const Shape& x_shape,
              const Values& x, const Shape& y_shape) {
  const OpInstance op{what, attributes, {Floats(x_shape)}, {Floats(y_shape)}};
  const auto result = Compute(Table(), op, {x});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

Values ReduceSum(const Attributes& attributes, const Shape& x_shape, const Values& x,
                 const Shape& y_shape) {
  return Reduce("ReduceSum", attributes, x_shape, x, y_shape);
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

TEST_CASE("means and maxima are taken in the same way") {
  CHECK(Reduce("ReduceMean", {{"axes", Ints{0}}}, {2, 3}, kSix, {1, 3}) ==
        Values{2.5F, 3.5F, 4.5F});
  CHECK(Reduce("ReduceMean", {}, {2, 3}, kSix, {1, 1}) == Values{3.5F});
  CHECK(Reduce("ReduceMax", {{"axes", Ints{1}}}, {2, 3}, {-1, -2, -3, 4, 6, 5}, {2, 1}) ==
        Values{-1, 6});
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(Reduce("ReduceMax", {}, {2}, {-infinity, -infinity}, {1}) == Values{-infinity});
}

TEST_CASE("a NaN is the maximum, wherever it stands") {
  for (const Values& x : {Values{NAN, 1}, Values{1, NAN}}) {
    CHECK(std::isnan(Reduce("ReduceMax", {}, {2}, x, {1})[0]));
  }
}

TEST_CASE("the gradient of a sum goes back to each of its terms") {
  const Attributes rows{{"axes", Ints{1}}, {"keepdims", int64_t{0}}};
  CHECK(Reduce("ReduceSumGrad", rows, {2}, {3, 6}, {2, 3}) == Values{3, 3, 3, 6, 6, 6});
  CHECK(Reduce("ReduceMeanGrad", rows, {2}, {3, 6}, {2, 3}) == Values{1, 1, 1, 2, 2, 2});
  CHECK(Reduce("ReduceSumGrad", {{"axes", Ints{0, 2}}}, {1, 2, 1}, {3, 4}, {2, 2, 2}) ==
        Values{3, 3, 4, 4, 3, 3, 4, 4});
}

}  // namespace
}  // namespace rm::kernels::ref
