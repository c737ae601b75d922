#include "kernels/api/op.h"

#include <catch2/catch.hpp>

namespace rm::kernels {
namespace {

using Ints = std::vector<int64_t>;

Operand Float(const Shape& shape) { return {{DType::kFloat32, shape, Layout::kPlain}, true}; }

TEST_CASE("an attribute is read back as the kind it was set as") {
  Attributes attributes;
  attributes.Set("group", int64_t{3});
  attributes.Set("alpha", 0.5F);
  attributes.Set("activation", std::string("relu"));
  attributes.Set("pads", Ints{1, 2, 3, 4});
  CHECK(attributes.Int("group", 1) == 3);
  CHECK(attributes.Float("alpha", 1.0F) == 0.5F);
  CHECK(attributes.String("activation", "") == "relu");
  CHECK(attributes.Ints("pads", {}) == Ints{1, 2, 3, 4});
}

TEST_CASE("a missing attribute and one of another kind give the fallback") {
  const Attributes attributes{{"alpha", 0.5F}};
  CHECK(attributes.Has("alpha"));
  CHECK_FALSE(attributes.Has("beta"));
  CHECK(attributes.Float("beta", 2.0F) == 2.0F);
  CHECK(attributes.Int("alpha", 7) == 7);
  CHECK(attributes.String("alpha", "none") == "none");
  CHECK(attributes.Ints("alpha", {9}) == Ints{9});
}

TEST_CASE("setting an attribute again replaces it and removing it forgets it") {
  Attributes attributes{{"group", int64_t{1}}};
  attributes.Set("group", int64_t{2});
  CHECK(attributes.Int("group", 0) == 2);
  CHECK(attributes.all().size() == 1);
  attributes.Remove("group");
  attributes.Remove("never there");
  CHECK_FALSE(attributes.Has("group"));
  CHECK(attributes == Attributes());
}

TEST_CASE("attributes do not depend on the order in which they were set") {
  Attributes one{{"a", int64_t{1}}, {"b", int64_t{2}}};
  Attributes two{{"b", int64_t{2}}, {"a", int64_t{1}}};
  CHECK(one == two);
  CHECK(one.all().begin()->first == "a");
}

TEST_CASE("an instance is written as a call") {
  OpInstance instance{"Conv",
                      {},
                      {Float({64, 1, 28, 28}), Float({32, 1, 3, 3})},
                      {Float({64, 32, 26, 26})}};
  CHECK(instance.ToString() == "Conv([64, 1, 28, 28], [32, 1, 3, 3]) → [64, 32, 26, 26]");
  instance.inputs.push_back(Float({32}));
  instance.inputs.back().present = false;
  CHECK(instance.ToString() == "Conv([64, 1, 28, 28], [32, 1, 3, 3], -) → [64, 32, 26, 26]");
}

TEST_CASE("an operand is there when it is listed and present") {
  const OpInstance instance{"Conv", {}, {Float({1}), {{}, false}}, {Float({1})}};
  CHECK(instance.has_input(0));
  CHECK_FALSE(instance.has_input(1));
  CHECK_FALSE(instance.has_input(2));
  CHECK(instance.has_output(0));
  CHECK_FALSE(instance.has_output(1));
}

TEST_CASE("the window's attributes follow ONNX, begins before ends") {
  const Attributes attributes{{"kernel_shape", Ints{3, 5}}, {"strides", Ints{2, 4}},
                              {"pads", Ints{1, 2, 3, 4}},   {"dilations", Ints{6, 7}},
                              {"group", int64_t{8}}};
  const Window2d window = ReadWindow2d(attributes, {});
  CHECK(window.kernel_h == 3);
  CHECK(window.kernel_w == 5);
  CHECK(window.stride_h == 2);
  CHECK(window.stride_w == 4);
  CHECK(window.pad_top == 1);
  CHECK(window.pad_left == 2);
  CHECK(window.pad_bottom == 3);
  CHECK(window.pad_right == 4);
  CHECK(window.dilation_h == 6);
  CHECK(window.dilation_w == 7);
  CHECK(window.group == 8);
}

TEST_CASE("without attributes the window is the weight's, with nothing around it") {
  const Window2d window = ReadWindow2d({}, {32, 1, 3, 2});
  CHECK(window.kernel_h == 3);
  CHECK(window.kernel_w == 2);
  CHECK(window.stride_h == 1);
  CHECK(window.pad_right == 0);
  CHECK(window.dilation_w == 1);
  CHECK(window.group == 1);
}

TEST_CASE("lists that are too short leave the defaults") {
  const Window2d window = ReadWindow2d({{"pads", Ints{1, 2}}, {"strides", Ints{3}}}, {});
  CHECK(window.pad_top == 0);
  CHECK(window.stride_h == 1);
  CHECK(window.kernel_h == 1);
}

TEST_CASE("output sizes follow the formula of ONNX") {
  const struct {
    int64_t input, kernel, stride, pad, dilation, output;
  } cases[] = {
      {28, 3, 1, 0, 1, 26}, {28, 3, 1, 1, 1, 28}, {24, 2, 2, 0, 1, 12}, {25, 2, 2, 0, 1, 12},
      {7, 3, 2, 1, 1, 4},   {9, 3, 1, 0, 2, 5},   {3, 3, 5, 0, 1, 1},   {2, 3, 1, 0, 1, 0},
      {2, 3, 2, 0, 1, 0},   {1, 1, 1, 0, 1, 1},
  };
  for (const auto& c : cases) {
    Window2d window;
    window.kernel_h = window.kernel_w = c.kernel;
    window.stride_h = window.stride_w = c.stride;
    window.pad_top = window.pad_bottom = window.pad_left = window.pad_right = c.pad;
    window.dilation_h = window.dilation_w = c.dilation;
    INFO("input " << c.input << " kernel " << c.kernel << " stride " << c.stride);
    CHECK(window.OutputHeight(c.input) == c.output);
    CHECK(window.OutputWidth(c.input) == c.output);
  }
}

}  // namespace
}  // namespace rm::kernels
