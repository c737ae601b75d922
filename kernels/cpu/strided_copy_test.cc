#include "kernels/cpu/strided_copy.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

namespace rm::kernels::cpu {
namespace {

using Ints = std::vector<int64_t>;

struct Form {
  const char* what;
  Shape whole;
  StridedView view;
  size_t loops;
};

Attributes Slice(Ints axes, Ints starts, Ints ends, Ints steps) {
  return {{"axes", axes}, {"starts", starts}, {"ends", ends}, {"steps", steps}};
}

const Form kForms[] = {
    {"one element", {1, 1}, TransposedView({1, 1}, {1, 0}), 1},
    {"everything", {3, 5}, TransposedView({3, 5}, {0, 1}), 1},
    {"a matrix", {33, 50}, TransposedView({33, 50}, {1, 0}), 2},
    {"a stack of matrices", {2, 33, 5}, TransposedView({2, 33, 5}, {0, 2, 1}), 3},
    {"heads", {2, 7, 4, 8}, TransposedView({2, 7, 4, 8}, {0, 2, 1, 3}), 4},
    {"axes that stay together", {2, 7, 4, 8}, TransposedView({2, 7, 4, 8}, {2, 3, 0, 1}), 2},
    {"all the other way", {2, 3, 4, 5}, TransposedView({2, 3, 4, 5}, {3, 2, 1, 0}), 4},
    {"some rows", {9, 5}, SlicedView({9, 5}, Slice({0}, {2}, {7}, {1})), 1},
    {"some columns", {9, 5}, SlicedView({9, 5}, Slice({1}, {2}, {4}, {1})), 2},
    {"backwards", {9}, SlicedView({9}, Slice({0}, {8}, {-1}, {-3})), 1},
    {"no rows", {9, 5}, SlicedView({9, 5}, Slice({0}, {2}, {2}, {1})), 2},
};

// 0, 1, 2, … as elements of a size.
std::vector<unsigned char> Counted(int64_t count, size_t bytes) {
  std::vector<unsigned char> memory(static_cast<size_t>(count) * bytes + 8);
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(memory.data() + static_cast<size_t>(i) * bytes, &i, bytes);
  }
  return memory;
}

TEST_CASE("elements are taken through a view") {
  for (const Form& form : kForms) {
    for (const size_t bytes : {size_t{1}, size_t{4}, size_t{8}}) {
      INFO(form.what << ", " << bytes << " bytes");
      const auto x = Counted(ElementCount(form.whole), bytes);
      const int64_t count = ElementCount(form.view.shape);
      std::vector<unsigned char> y(static_cast<size_t>(count) * bytes + 8, 0xA5);
      StridedCopy::Take(form.view, bytes).Run(x.data(), y.data(), 1);
      for (int64_t i = 0; i < count; ++i) {
        const auto from = static_cast<size_t>(form.view.At(i)) * bytes;
        REQUIRE(std::memcmp(&y[static_cast<size_t>(i) * bytes], &x[from], bytes) == 0);
      }
      CHECK(y[static_cast<size_t>(count) * bytes] == 0xA5);
    }
  }
}

TEST_CASE("and put through it, beside what else there is") {
  for (const Form& form : kForms) {
    INFO(form.what);
    const int64_t count = ElementCount(form.view.shape);
    const auto x = Counted(count, 4);
    std::vector<int32_t> y(static_cast<size_t>(ElementCount(form.whole)), -1);
    std::vector<int32_t> expected = y;
    for (int64_t i = 0; i < count; ++i) {
      expected[static_cast<size_t>(form.view.At(i))] = static_cast<int32_t>(i);
    }
    StridedCopy::Put(form.view, 4).Run(x.data(), y.data(), 1);
    CHECK(y == expected);
  }
}

TEST_CASE("loops are joined where they go on") {
  for (const Form& form : kForms) {
    INFO(form.what);
    if (ElementCount(form.view.shape) > 0) {
      CHECK(StridedCopy::Take(form.view, 4).loops() == form.loops);
    }
  }
}

TEST_CASE("repeated elements are taken as often as the view says") {
  const std::vector<float> x{1, 2};
  std::vector<float> y(6);
  StridedCopy::Take(BroadcastView({2, 1}, {2, 3}), 4).Run(x.data(), y.data(), 1);
  CHECK(y == std::vector<float>{1, 1, 1, 2, 2, 2});
  StridedCopy::Take(BroadcastView({2}, {3, 2}), 4).Run(x.data(), y.data(), 1);
  CHECK(y == std::vector<float>{1, 2, 1, 2, 1, 2});
}

}  // namespace
}  // namespace rm::kernels::cpu
