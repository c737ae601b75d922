#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

TEST_CASE("MaxPool gives values and, where asked, places in the window", "[pool]") {
  const Attributes two = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  CHECK(Infer({"MaxPool", {Float({2, 3, 8, 9})}, two}) == "[2, 3, 4, 4]");
  CHECK(Infer({"MaxPool", {Float({2, 3, 8, 9})}, two, 2}) == "[2, 3, 4, 4], uint8 [2, 3, 4, 4]");
  CHECK(Infer({"MaxPool", {Float({1, 1, 4, 4})}, {{"kernel_shape", Ints{3, 2}}}}) ==
        "[1, 1, 2, 3]");
  CHECK(Infer({"MaxPool",
               {Float({1, 1, 4, 4})},
               {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}}) == "[1, 1, 4, 4]");
  CHECK(Infer({"MaxPool", {Float({1, 1, 16, 16})}, {{"kernel_shape", Ints{16, 16}}}, 2}) ==
        "[1, 1, 1, 1], uint8 [1, 1, 1, 1]");
}

struct BadPool {
  const char* what;
  Shape x;
  Attributes attributes;
  const char* error;
};

TEST_CASE("MaxPool refuses what has no maximum or no place for its index", "[pool]") {
  const BadPool cases[] = {
      {"no window", {1, 1, 4, 4}, {}, "attribute kernel_shape is missing"},
      {"too large",
       {1, 1, 2, 2},
       {{"kernel_shape", Ints{3, 3}}},
       "a window of 3×3 does not fit into an image of 2×2"},
      {"an index beyond a byte",
       {1, 1, 17, 17},
       {{"kernel_shape", Ints{17, 16}}},
       "a window of 17×16 has more than 256 elements"},
      {"rounding up",
       {1, 1, 4, 4},
       {{"kernel_shape", Ints{2, 2}}, {"ceil_mode", int64_t{1}}},
       "ceil_mode is not known"},
      {"a window in the padding",
       {1, 1, 4, 4},
       {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{2, 0, 0, 0}}},
       "some windows would lie in the padding alone"},
      {"a window around the image",
       {1, 1, 1, 4},
       {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 0, 1, 0}}, {"dilations", Ints{2, 1}}},
       "some windows would lie in the padding alone"},
      {"not an image",
       {4, 4},
       {{"kernel_shape", Ints{2, 2}}},
       "X has 2 dimensions, it must have 4"},
  };
  for (const BadPool& c : cases) {
    INFO(c.what);
    CHECK(Infer({"MaxPool", {Float(c.x)}, c.attributes}) == c.error);
  }
}

TEST_CASE("MaxPoolGrad has the shape of X and checks the rest against it", "[pool]") {
  const Attributes two = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  const TensorType x = Float({2, 3, 9, 8});
  const TensorType dy = Float({2, 3, 4, 4});
  const TensorType index = UInt8({2, 3, 4, 4});
  CHECK(Infer({"MaxPoolGrad", {dy, index}, two, 1, {x}}) == "[2, 3, 9, 8]");
  CHECK(Infer({"MaxPoolGrad", {Float({2, 3, 4, 3}), index}, two, 1, {x}}) ==
        "dY has shape [2, 3, 4, 3], it must be [2, 3, 4, 4]");
  CHECK(Infer({"MaxPoolGrad", {dy, UInt8({2, 3, 4, 3})}, two, 1, {x}}) ==
        "WindowIndex has shape [2, 3, 4, 3], it must be [2, 3, 4, 4]");
  CHECK(Infer({"MaxPoolGrad", {dy, dy}, two, 1, {x}}) ==
        "WindowIndex is float32, it must be uint8");
  CHECK(Infer({"MaxPoolGrad", {dy, index}, two}) == "the shape of X is not known");
}

TEST_CASE("average pools take windows of any size", "[pool]") {
  const Attributes two{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  const Attributes large{{"kernel_shape", Ints{17, 17}}};
  CHECK(Infer({"AveragePool", {Float({2, 3, 5, 4})}, two}) == "[2, 3, 2, 2]");
  CHECK(Infer({"AveragePool", {Float({1, 1, 20, 17})}, large}) == "[1, 1, 4, 1]");
  CHECK(Infer({"AveragePool", {Float({1, 1, 20, 17})}}) == "attribute kernel_shape is missing");
  CHECK(Infer({"AveragePoolGrad", {Float({2, 3, 2, 2})}, two, 1, {Float({2, 3, 5, 4})}}) ==
        "[2, 3, 5, 4]");
  CHECK(Infer({"AveragePoolGrad", {Float({2, 3, 2, 1})}, two, 1, {Float({2, 3, 5, 4})}}) ==
        "dY has shape [2, 3, 2, 1], it must be [2, 3, 2, 2]");
}

TEST_CASE("a global pool leaves one pixel", "[pool]") {
  CHECK(Infer({"GlobalAveragePool", {Float({2, 3, 5, 4})}}) == "[2, 3, 1, 1]");
  CHECK(Infer({"GlobalAveragePool", {Float({2, 3, 0, 4})}}) == "X has no pixels");
  CHECK(Infer({"GlobalAveragePool", {Float({2, 3})}}) ==
        "X has 2 dimensions, it must have 4");
  CHECK(Infer({"GlobalAveragePoolGrad", {Float({2, 3, 1, 1})}, {}, 1, {Float({2, 3, 5, 4})}}) ==
        "[2, 3, 5, 4]");
  CHECK(Infer({"GlobalAveragePoolGrad", {Float({2, 3, 1, 1})}}) ==
        "the shape of X is not known");
}

}  // namespace
}  // namespace rm::kernels
