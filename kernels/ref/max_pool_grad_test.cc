#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Bytes;
using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

Values MaxPoolGrad(const Attributes& attributes, const Shape& dy_shape, const Values& dy,
                   const Values& index, const Shape& dx_shape) {
  const OpInstance op{
      "MaxPoolGrad", attributes, {Floats(dy_shape), Bytes(dy_shape)}, {Floats(dx_shape)}};
  const auto result = Compute(Table(), op, {dy, index});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("a gradient goes to the maximum of its window, zero to the others") {
  const Attributes two{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  CHECK(MaxPoolGrad(two, {1, 1, 1, 2}, {5, 7}, {3, 0}, {1, 1, 2, 4}) ==
        Values{0, 0, 7, 0, 0, 5, 0, 0});
}

TEST_CASE("overlapping windows add up at a shared maximum") {
  const Attributes two{{"kernel_shape", Ints{1, 2}}};
  CHECK(MaxPoolGrad(two, {1, 1, 1, 2}, {5, 7}, {1, 0}, {1, 1, 1, 3}) == Values{0, 12, 0});
}

TEST_CASE("pads shift the windows") {
  const Attributes pads{{"kernel_shape", Ints{1, 2}}, {"strides", Ints{1, 2}},
                        {"pads", Ints{0, 1, 0, 1}}};
  CHECK(MaxPoolGrad(pads, {1, 1, 1, 2}, {5, 7}, {1, 0}, {1, 1, 1, 2}) == Values{5, 7});
}

TEST_CASE("elements beyond the last window get zero") {
  const Attributes two{{"kernel_shape", Ints{1, 2}}, {"strides", Ints{1, 2}}};
  CHECK(MaxPoolGrad(two, {1, 1, 1, 1}, {5}, {1}, {1, 1, 1, 3}) == Values{0, 5, 0});
}

TEST_CASE("an index outside the window writes nowhere") {
  const Attributes two{{"kernel_shape", Ints{1, 2}}, {"strides", Ints{1, 2}}};
  CHECK(MaxPoolGrad(two, {1, 1, 1, 1}, {5}, {200}, {1, 1, 1, 2}) == Values{0, 0});
}

}  // namespace
}  // namespace rm::kernels::ref
