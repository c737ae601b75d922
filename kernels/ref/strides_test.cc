#include "kernels/ref/strides.h"

#include <catch2/catch.hpp>

namespace rm::kernels::ref {
namespace {

TEST_CASE("dimensions that stretch have stride zero") {
  CHECK(BroadcastStrides({2, 3}, {2, 3}) == Shape{3, 1});
  CHECK(BroadcastStrides({3}, {2, 3}) == Shape{0, 1});
  CHECK(BroadcastStrides({2, 1}, {2, 3}) == Shape{1, 0});
  CHECK(BroadcastStrides({}, {2, 3}) == Shape{0, 0});
}

TEST_CASE("an offset adds each axis by its stride") {
  CHECK(StridedOffset(5, {2, 3}, {3, 1}) == 5);
  CHECK(StridedOffset(5, {2, 3}, {0, 1}) == 2);
  CHECK(StridedOffset(5, {2, 3}, {1, 0}) == 1);
  CHECK(StridedOffset(0, {}, {}) == 0);
}

}  // namespace
}  // namespace rm::kernels::ref
