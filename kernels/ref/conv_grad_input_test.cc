#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

Values ConvGradInput(const Attributes& attributes, const Shape& dy_shape, const Values& dy,
                     const Shape& w_shape, const Values& w, const Shape& dx_shape) {
  const OpInstance op{
      "ConvGradInput", attributes, {Floats(dy_shape), Floats(w_shape)}, {Floats(dx_shape)}};
  const auto result = Compute(Table(), op, {dy, w});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("a single output gradient spreads the kernel over its window") {
  CHECK(ConvGradInput({}, {1, 1, 1, 1}, {10}, {1, 1, 2, 2}, {1, 2, 3, 4}, {1, 1, 2, 2}) ==
        Values{10, 20, 30, 40});
}

TEST_CASE("overlapping windows add up") {
  CHECK(ConvGradInput({}, {1, 1, 1, 2}, {1, 10}, {1, 1, 1, 2}, {2, 3}, {1, 1, 1, 3}) ==
        Values{2, 23, 30});
}

TEST_CASE("strides leave gaps and elements that no window saw get zero") {
  const Attributes strides{{"strides", Ints{1, 2}}};
  CHECK(ConvGradInput(strides, {1, 1, 1, 2}, {1, 10}, {1, 1, 1, 1}, {3}, {1, 1, 1, 4}) ==
        Values{3, 0, 30, 0});
}

TEST_CASE("what fell into the padding is lost") {
  const Attributes pads{{"pads", Ints{0, 1, 0, 1}}};
  // X of one element, W (1 10 100), one output in the middle of the padding.
  CHECK(ConvGradInput(pads, {1, 1, 1, 1}, {2}, {1, 1, 1, 3}, {1, 10, 100}, {1, 1, 1, 1}) ==
        Values{20});
}

TEST_CASE("dilation spreads the gradient with the taps") {
  const Attributes dilations{{"dilations", Ints{1, 2}}};
  CHECK(ConvGradInput(dilations, {1, 1, 1, 1}, {2}, {1, 1, 1, 2}, {3, 5}, {1, 1, 1, 3}) ==
        Values{6, 0, 10});
}

TEST_CASE("output channels are summed within the group") {
  // Two groups of one input and two output channels.
  const Attributes group{{"group", int64_t{2}}};
  CHECK(ConvGradInput(group, {1, 4, 1, 1}, {1, 10, 100, 1000}, {4, 1, 1, 1}, {1, 2, 3, 4},
                      {1, 2, 1, 1}) == Values{21, 4300});
}

}  // namespace
}  // namespace rm::kernels::ref
