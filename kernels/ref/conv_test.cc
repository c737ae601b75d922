#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

const Values kNine{1, 2, 3, 4, 5, 6, 7, 8, 9};

Values Conv(const Attributes& attributes, const Shape& x_shape, const Values& x,
            const Shape& w_shape, const Values& w, const Shape& y_shape, const Values& b = {}) {
  OpInstance op{"Conv", attributes, {Floats(x_shape), Floats(w_shape)}, {Floats(y_shape)}};
  std::vector<Values> inputs{x, w};
  if (!b.empty()) {
    op.inputs.push_back(Floats({static_cast<int64_t>(b.size())}));
    inputs.push_back(b);
  }
  const auto result = Compute(Table(), op, inputs);
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("the kernel is slid, not flipped") {
  // Each output is a − 10 · d of its window [a b; c d].
  CHECK(Conv({}, {1, 1, 3, 3}, kNine, {1, 1, 2, 2}, {1, 0, 0, -10}, {1, 1, 2, 2}) ==
        Values{-49, -58, -76, -85});
}

TEST_CASE("padding is zero and may differ on each side") {
  const Attributes pads{{"pads", Ints{1, 0, 0, 2}}};
  CHECK(Conv(pads, {1, 1, 1, 2}, {1, 2}, {1, 1, 2, 2}, {1, 10, 100, 1000}, {1, 1, 1, 3}) ==
        Values{2100, 200, 0});
}

TEST_CASE("strides skip windows") {
  const Attributes strides{{"strides", Ints{2, 1}}};
  CHECK(Conv(strides, {1, 1, 3, 3}, kNine, {1, 1, 1, 2}, {1, 1}, {1, 1, 2, 2}) ==
        Values{3, 5, 15, 17});
}

TEST_CASE("dilation spreads the taps") {
  const Attributes dilations{{"dilations", Ints{2, 2}}};
  CHECK(Conv(dilations, {1, 1, 3, 3}, kNine, {1, 1, 2, 2}, {1, 10, 100, 1000}, {1, 1, 1, 1}) ==
        Values{9731});
}

TEST_CASE("channels are summed, outputs have their own weights and bias") {
  // X: two channels of one pixel (3, 5); W: (1 10), (−1 1)
  CHECK(Conv({}, {1, 2, 1, 1}, {3, 5}, {2, 2, 1, 1}, {1, 10, -1, 1}, {1, 2, 1, 1}, {100, 200}) ==
        Values{153, 202});
}

TEST_CASE("a group sees its own channels only") {
  const Attributes group{{"group", int64_t{2}}};
  CHECK(Conv(group, {1, 4, 1, 1}, {1, 2, 3, 4}, {2, 2, 1, 1}, {1, 10, 1, 10}, {1, 2, 1, 1}) ==
        Values{21, 43});
}

TEST_CASE("each image of a batch is on its own") {
  CHECK(Conv({}, {2, 1, 1, 1}, {3, 4}, {1, 1, 1, 1}, {2}, {2, 1, 1, 1}) == Values{6, 8});
}

TEST_CASE("the activation is applied after the bias") {
  const Attributes relu{{"activation", std::string("relu")}};
  CHECK(Conv(relu, {1, 1, 1, 3}, {-3, 0, 3}, {1, 1, 1, 1}, {1}, {1, 1, 1, 3}, {1}) ==
        Values{0, 1, 4});
}

}  // namespace
}  // namespace rm::kernels::ref
