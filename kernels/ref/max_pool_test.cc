#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Bytes;
using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

// Y and WindowIndex.
std::vector<Values> MaxPool(const Attributes& attributes, const Shape& x_shape, const Values& x,
                            const Shape& y_shape) {
  const OpInstance op{
      "MaxPool", attributes, {Floats(x_shape)}, {Floats(y_shape), Bytes(y_shape)}};
  const auto result = Compute(Table(), op, {x});
  INFO(result.status());
  REQUIRE(result.ok());
  return *result;
}

TEST_CASE("each window gives its maximum and where it was") {
  const Attributes two{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  const auto result =
      MaxPool(two, {1, 1, 2, 6}, {1, 2, 9, 0, 0, 0, 3, 4, 0, 0, 5, 0}, {1, 1, 1, 3});
  CHECK(result[0] == Values{4, 9, 5});
  CHECK(result[1] == Values{3, 0, 2});
}

TEST_CASE("the first of equal maxima is taken") {
  const Attributes three{{"kernel_shape", Ints{1, 3}}};
  CHECK(MaxPool(three, {1, 1, 1, 3}, {7, 7, 7}, {1, 1, 1, 1})[1] == Values{0});
  CHECK(MaxPool(three, {1, 1, 1, 3}, {1, 7, 7}, {1, 1, 1, 1})[1] == Values{1});
}

TEST_CASE("padding never wins, however small the elements are") {
  const float lowest = -std::numeric_limits<float>::infinity();
  const Attributes pads{{"kernel_shape", Ints{1, 2}}, {"strides", Ints{1, 2}},
                        {"pads", Ints{0, 1, 0, 1}}};
  const auto result = MaxPool(pads, {1, 1, 1, 2}, {lowest, -3}, {1, 1, 1, 2});
  CHECK(result[0] == Values{lowest, -3});
  CHECK(result[1] == Values{1, 0});
}

TEST_CASE("windows may overlap and be dilated") {
  const Attributes attributes{{"kernel_shape", Ints{1, 2}}, {"dilations", Ints{1, 2}}};
  const auto result = MaxPool(attributes, {1, 1, 1, 4}, {1, 5, 3, 2}, {1, 1, 1, 2});
  CHECK(result[0] == Values{3, 5});
  CHECK(result[1] == Values{1, 0});
}

TEST_CASE("every channel of every image is pooled on its own") {
  const Attributes two{{"kernel_shape", Ints{1, 2}}};
  CHECK(MaxPool(two, {2, 2, 1, 2}, {1, 2, 4, 3, 5, 6, 8, 7}, {2, 2, 1, 1})[0] ==
        Values{2, 4, 6, 8});
}

TEST_CASE("a NaN is not lost") {
  const Attributes three{{"kernel_shape", Ints{1, 3}}};
  const auto result = MaxPool(three, {1, 1, 1, 3}, {1, NAN, 9}, {1, 1, 1, 1});
  CHECK(std::isnan(result[0][0]));
  CHECK(result[1] == Values{1});
}

TEST_CASE("the index may be left out") {
  const OpInstance op{"MaxPool",
                      {{"kernel_shape", Ints{1, 2}}},
                      {Floats({1, 1, 1, 2})},
                      {Floats({1, 1, 1, 1})}};
  const auto result = Compute(Table(), op, {{4, 2}});
  REQUIRE(result.ok());
  CHECK(result->at(0) == Values{4});
}

}  // namespace
}  // namespace rm::kernels::ref
