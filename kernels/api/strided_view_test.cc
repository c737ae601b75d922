#include "kernels/api/strided_view.h"

#include <catch2/catch.hpp>

namespace rm::kernels {
namespace {

using Ints = std::vector<int64_t>;

// Where all elements of a view lie, in their order.
Ints Places(const StridedView& view) {
  Ints places;
  for (int64_t i = 0; i < ElementCount(view.shape); ++i) places.push_back(view.At(i));
  return places;
}

TEST_CASE("strides of a plain tensor") {
  CHECK(PlainStrides({2, 3, 4}) == Shape{12, 4, 1});
  CHECK(PlainStrides({5}) == Shape{1});
  CHECK(PlainStrides({}) == Shape{});
}

TEST_CASE("a transposed matrix is read column by column") {
  CHECK(Places(TransposedView({2, 3}, {1, 0})) == Ints{0, 3, 1, 4, 2, 5});
  CHECK(TransposedView({2, 3, 4}, {2, 0, 1}).shape == Shape{4, 2, 3});
  CHECK(Places(TransposedView({}, {})) == Ints{0});
}

TEST_CASE("rows, columns and numbers are repeated") {
  CHECK(Places(BroadcastView({3}, {2, 3})) == Ints{0, 1, 2, 0, 1, 2});
  CHECK(Places(BroadcastView({2, 1}, {2, 3})) == Ints{0, 0, 0, 1, 1, 1});
  CHECK(Places(BroadcastView({}, {2, 2})) == Ints{0, 0, 0, 0});
  CHECK(Places(BroadcastView({1, 2}, {1, 2})) == Ints{0, 1});
}

TEST_CASE("a part along an axis") {
  CHECK(Places(PartView({2, 4}, 1, 1, 2)) == Ints{1, 2, 5, 6});
  CHECK(Places(PartView({3, 2}, 0, 2, 1)) == Ints{4, 5});
  CHECK(Places(PartView({3, 2}, 0, 3, 0)).empty());
}

TEST_CASE("slices run forwards, in steps and backwards") {
  const Attributes middle{{"starts", Ints{1}}, {"ends", Ints{3}}};
  CHECK(Places(SlicedView({4}, middle)) == Ints{1, 2});
  const Attributes steps{{"starts", Ints{0, 3}},
                         {"ends", Ints{2, -1}},
                         {"axes", Ints{0, 1}},
                         {"steps", Ints{1, -2}}};
  CHECK(Places(SlicedView({2, 4}, steps)) == Ints{3, 1, 7, 5});
  const Attributes columns{{"starts", Ints{1}}, {"ends", Ints{4}}, {"axes", Ints{1}},
                           {"steps", Ints{2}}};
  CHECK(Places(SlicedView({2, 4}, columns)) == Ints{1, 3, 5, 7});
}

TEST_CASE("the number of elements in a slice is rounded up") {
  CHECK(SliceCount(0, 5, 2) == 3);
  CHECK(SliceCount(0, 4, 2) == 2);
  CHECK(SliceCount(3, 3, 1) == 0);
  CHECK(SliceCount(4, -1, -1) == 5);
  CHECK(SliceCount(4, -1, -2) == 3);
  CHECK(SliceCount(2, 2, -3) == 0);
}

TEST_CASE("what an attribute does not say") {
  CHECK(Permutation({}, 3) == Ints{2, 1, 0});
  CHECK(Permutation({{"perm", Ints{0, 1}}}, 2) == Ints{0, 1});
  const auto slices = SliceAxes({{"starts", Ints{1, 2}}, {"ends", Ints{3, 4}}});
  REQUIRE(slices.size() == 2);
  CHECK(slices[1].axis == 1);
  CHECK(slices[1].step == 1);
}

}  // namespace
}  // namespace rm::kernels
