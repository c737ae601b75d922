#include "kernels/api/shapes.h"

#include <catch2/catch.hpp>

namespace rm::kernels {
namespace {

TEST_CASE("shapes broadcast from the right") {
  CHECK(*Broadcast({2, 3}, {3}) == Shape{2, 3});
  CHECK(*Broadcast({2, 1}, {1, 3}) == Shape{2, 3});
  CHECK(*Broadcast({}, {4}) == Shape{4});
  CHECK(*Broadcast({0, 1}, {1, 3}) == Shape{0, 3});
  CHECK(Broadcast({2, 3}, {2}).status().message() == "[2, 3] and [2] do not broadcast");
}

TEST_CASE("axes along which something was repeated are those that a gradient is summed over") {
  CHECK(BroadcastAxes({3}, {2, 3}) == std::vector<int64_t>{0});
  CHECK(BroadcastAxes({2, 1}, {2, 3}) == std::vector<int64_t>{1});
  CHECK(BroadcastAxes({2, 3}, {2, 3}).empty());
  CHECK(BroadcastAxes({}, {1}) == std::vector<int64_t>{0});
}

TEST_CASE("an axis counts from the end when it is negative, and must exist") {
  CHECK(*NormalizeAxis(-1, 3) == 2);
  CHECK(*NormalizeAxis(0, 1) == 0);
  CHECK(NormalizeAxis(3, 3).status().message() == "axis 3 of a tensor with 3 dimensions");
  CHECK_FALSE(NormalizeAxis(-4, 3).ok());
}

TEST_CASE("attributes of windows are checked before anything divides by them") {
  const auto error = [](const Attributes& attributes) {
    return std::string(CheckedWindow2d(attributes, {4, 2, 3, 3}).status().message());
  };
  using Ints = std::vector<int64_t>;
  CHECK(error({}).empty());
  CHECK(error({{"strides", Ints{0, 1}}}) == "attribute strides holds 0, the least is 1");
  CHECK(error({{"pads", Ints{1, 1}}}) == "attribute pads must be a list of 4 whole numbers");
  CHECK(error({{"group", int64_t{0}}}) == "group 0 must be at least 1");
}

}  // namespace
}  // namespace rm::kernels
