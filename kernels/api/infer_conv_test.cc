#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

struct ConvCase {
  const char* what;
  Shape x, w;
  Attributes attributes;
  const char* result;
};

// Correct and wrong uses of Conv.
std::vector<ConvCase> Cases() {
  return {
      {"plain", {2, 3, 8, 9}, {4, 3, 3, 2}, {}, "[2, 4, 6, 8]"},
      {"strided", {2, 3, 8, 8}, {4, 3, 3, 3}, {{"strides", Ints{2, 3}}}, "[2, 4, 3, 2]"},
      {"padded", {1, 1, 5, 5}, {1, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}, "[1, 1, 5, 5]"},
      {"uneven pads", {1, 1, 5, 5}, {1, 1, 3, 3}, {{"pads", Ints{0, 1, 2, 0}}}, "[1, 1, 5, 4]"},
      {"dilated", {1, 1, 7, 7}, {1, 1, 3, 3}, {{"dilations", Ints{2, 3}}}, "[1, 1, 3, 1]"},
      {"depthwise", {1, 6, 4, 4}, {6, 1, 3, 3}, {{"group", int64_t{6}}}, "[1, 6, 2, 2]"},
      {"grouped", {1, 6, 4, 4}, {4, 3, 1, 1}, {{"group", int64_t{2}}}, "[1, 4, 4, 4]"},
      {"a window of the image's size", {1, 1, 3, 3}, {1, 1, 3, 3}, {}, "[1, 1, 1, 1]"},
      {"channels differ", {1, 2, 4, 4}, {4, 3, 3, 3}, {}, "X has 2 channels, W takes 3"},
      {"too large a window",
       {1, 1, 2, 4},
       {1, 1, 3, 3},
       {},
       "a window of 3×3 does not fit into an image of 2×4"},
      {"groups that do not divide",
       {1, 6, 4, 4},
       {5, 3, 1, 1},
       {{"group", int64_t{2}}},
       "5 output channels do not divide into 2 groups"},
      {"no group",
       {1, 1, 4, 4},
       {1, 1, 1, 1},
       {{"group", int64_t{0}}},
       "group 0 must be at least 1"},
      {"another kernel_shape",
       {1, 1, 4, 4},
       {1, 1, 3, 3},
       {{"kernel_shape", Ints{2, 2}}},
       "attribute kernel_shape is not that of W"},
      {"a stride of 0",
       {1, 1, 4, 4},
       {1, 1, 3, 3},
       {{"strides", Ints{0, 1}}},
       "attribute strides holds 0, the least is 1"},
      {"negative pads",
       {1, 1, 4, 4},
       {1, 1, 3, 3},
       {{"pads", Ints{0, 0, -1, 0}}},
       "attribute pads holds -1, the least is 0"},
      {"too few pads",
       {1, 1, 4, 4},
       {1, 1, 3, 3},
       {{"pads", Ints{1, 1}}},
       "attribute pads must be a list of 4 whole numbers"},
      {"strides of another kind",
       {1, 1, 4, 4},
       {1, 1, 3, 3},
       {{"strides", int64_t{2}}},
       "attribute strides must be a list of 2 whole numbers"},
      {"automatic padding",
       {1, 1, 4, 4},
       {1, 1, 3, 3},
       {{"auto_pad", std::string("SAME_UPPER")}},
       "auto_pad SAME_UPPER is not known, only NOTSET"},
      {"one-dimensional", {1, 1, 4}, {1, 1, 3, 3}, {}, "X has 3 dimensions, it must have 4"},
  };
}

TEST_CASE("Conv: shapes and errors", "[conv]") {
  for (const ConvCase& c : Cases()) {
    INFO(c.what);
    CHECK(Infer({"Conv", {Float(c.x), Float(c.w)}, c.attributes}) == c.result);
  }
}

TEST_CASE("the bias of Conv has one element a channel", "[conv]") {
  CHECK(Infer({"Conv", {Float({1, 1, 4, 4}), Float({5, 1, 3, 3}), Float({5})}, {}}) ==
        "[1, 5, 2, 2]");
  CHECK(Infer({"Conv", {Float({1, 1, 4, 4}), Float({5, 1, 3, 3}), Float({4})}, {}}) ==
        "B has shape [4], it must be [5]");
  CHECK(Infer({"Conv", {Float({1, 1, 4, 4}), Float({5, 1, 3, 3}), Float({5, 1})}, {}}) ==
        "B has 2 dimensions, it must have 1");
}

TEST_CASE("gradients of Conv have the shapes they belong to", "[conv]") {
  const TensorType x = Float({2, 3, 8, 8});
  const TensorType w = Float({4, 3, 3, 3});
  const TensorType dy = Float({2, 4, 3, 3});
  const Attributes attributes = {{"strides", Ints{2, 2}}};
  CHECK(Infer({"ConvGradInput", {dy, w}, attributes, 1, {x}}) == "[2, 3, 8, 8]");
  CHECK(Infer({"ConvGradWeight", {x, dy}, attributes, 1, {w}}) == "[4, 3, 3, 3]");
  CHECK(Infer({"ConvGradWeight", {x, dy}, attributes, 1, {w, Float({4})}}) == "[4, 3, 3, 3], [4]");
  // With stride 2 an image of 7 gives the same dY as one of 8: the type decides.
  CHECK(Infer({"ConvGradInput", {dy, w}, attributes, 1, {Float({2, 3, 7, 7})}}) == "[2, 3, 7, 7]");
}

TEST_CASE("ConvTranspose has the shape from which Conv comes to X", "[conv]") {
  const TensorType x = Float({2, 4, 3, 3});
  const TensorType w = Float({4, 3, 3, 3});
  CHECK(Infer({"ConvTranspose", {x, w}, {}}) == "[2, 3, 5, 5]");
  CHECK(Infer({"ConvTranspose", {x, w}, {{"strides", Ints{2, 2}}}}) == "[2, 3, 7, 7]");
  const Attributes padded = {{"strides", Ints{2, 3}},
                             {"pads", Ints{1, 1, 1, 0}},
                             {"output_padding", Ints{1, 2}}};
  CHECK(Infer({"ConvTranspose", {x, w}, padded}) == "[2, 3, 6, 10]");
  CHECK(Infer({"ConvTranspose", {x, Float({4, 2, 1, 1})}, {{"group", int64_t{2}}}}) ==
        "[2, 4, 3, 3]");
}

TEST_CASE("ConvTranspose refuses what no Conv comes back from", "[conv]") {
  const TensorType x = Float({2, 4, 3, 3});
  const TensorType w = Float({4, 3, 3, 3});
  CHECK(Infer({"ConvTranspose", {x, w}, {{"output_padding", Ints{1, 0}}}}) ==
        "attribute output_padding must be 2 numbers below the strides");
  CHECK(Infer({"ConvTranspose", {x, w}, {{"pads", Ints{3, 0, 2, 0}}}}) ==
        "attribute pads leave nothing of the output");
  CHECK(Infer({"ConvTranspose", {x, Float({5, 3, 3, 3})}, {}}) ==
        "X has shape [2, 4, 3, 3], it must be [2, 5, 3, 3]");
}

TEST_CASE("gradients of Conv refuse a dY that the forward op would not give", "[conv]") {
  const TensorType x = Float({2, 3, 8, 8});
  const TensorType w = Float({4, 3, 3, 3});
  const TensorType wrong = Float({2, 4, 5, 6});
  CHECK(Infer({"ConvGradInput", {wrong, w}, {}, 1, {x}}) ==
        "dY has shape [2, 4, 5, 6], it must be [2, 4, 6, 6]");
  CHECK(Infer({"ConvGradWeight", {x, wrong}, {}, 1, {w}}) ==
        "dY has shape [2, 4, 5, 6], it must be [2, 4, 6, 6]");
  CHECK(Infer({"ConvGradInput", {wrong, w}, {}}) == "the shape of X is not known");
  CHECK(Infer({"ConvGradWeight", {x, wrong}, {}}) == "the shape of W is not known");
  CHECK(Infer({"ConvGradWeight", {x, Float({2, 4, 6, 6})}, {}, 1, {w, Float({5})}}) ==
        "[4, 3, 3, 3], [4]");  // CheckInstance refuses it
}

}  // namespace
}  // namespace rm::kernels
