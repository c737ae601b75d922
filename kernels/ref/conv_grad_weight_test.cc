#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

// dW and dB.
std::vector<Values> ConvGradWeight(const Attributes& attributes, const Shape& x_shape,
                                   const Values& x, const Shape& dy_shape, const Values& dy,
                                   const Shape& dw_shape) {
  const OpInstance op{"ConvGradWeight",
                      attributes,
                      {Floats(x_shape), Floats(dy_shape)},
                      {Floats(dw_shape), Floats({dy_shape[1]})}};
  const auto result = Compute(Table(), op, {x, dy});
  INFO(result.status());
  REQUIRE(result.ok());
  return *result;
}

TEST_CASE("each tap gathers the elements it saw, and the bias the gradient alone") {
  const auto grads =
      ConvGradWeight({}, {1, 1, 1, 3}, {1, 2, 3}, {1, 1, 1, 2}, {10, 100}, {1, 1, 1, 2});
  CHECK(grads[0] == Values{210, 320});
  CHECK(grads[1] == Values{110});
}

TEST_CASE("images of a batch add up") {
  const auto grads =
      ConvGradWeight({}, {2, 1, 1, 1}, {3, 4}, {2, 1, 1, 1}, {1, 10}, {1, 1, 1, 1});
  CHECK(grads[0] == Values{43});
  CHECK(grads[1] == Values{11});
}

TEST_CASE("padding adds nothing") {
  const Attributes pads{{"pads", Ints{0, 1, 0, 1}}};
  const auto grads = ConvGradWeight(pads, {1, 1, 1, 1}, {5}, {1, 1, 1, 1}, {2}, {1, 1, 1, 3});
  CHECK(grads[0] == Values{0, 10, 0});
}

TEST_CASE("strides and dilations decide which elements a tap saw") {
  const Attributes attributes{{"strides", Ints{1, 2}}, {"dilations", Ints{1, 3}}};
  // Windows start at 0 and 2; the second tap sees 3 and 5.
  const auto grads = ConvGradWeight(attributes, {1, 1, 1, 6}, {1, 2, 3, 4, 5, 6}, {1, 1, 1, 2},
                                    {1, 10}, {1, 1, 1, 2});
  CHECK(grads[0] == Values{31, 64});
}

TEST_CASE("a group's weights see the group's channels") {
  const Attributes group{{"group", int64_t{2}}};
  const auto grads =
      ConvGradWeight(group, {1, 2, 1, 1}, {3, 5}, {1, 2, 1, 1}, {1, 10}, {2, 1, 1, 1});
  CHECK(grads[0] == Values{3, 50});
  CHECK(grads[1] == Values{1, 10});
}

TEST_CASE("the bias gradient may be left out") {
  const OpInstance op{"ConvGradWeight",
                      {},
                      {Floats({1, 1, 1, 1}), Floats({1, 1, 1, 1})},
                      {Floats({1, 1, 1, 1})}};
  const auto result = Compute(Table(), op, {{3}, {4}});
  REQUIRE(result.ok());
  CHECK(result->at(0) == Values{12});
}

}  // namespace
}  // namespace rm::kernels::ref
