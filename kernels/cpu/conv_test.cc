#include <algorithm>

#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using testing::Int64s;
using testing::Tensor;

// 20 channels fill no block; the images are 5 × 5, the windows 3 × 3.
OpInstance Conv(Layout x, Layout y) {
  return {"Conv", {}, {Floats({2, 20, 5, 5}, x), Floats({12, 20, 3, 3})},
          {Floats({2, 12, 3, 3}, y)}};
}

const Values& Image() {
  static const Values values = Pattern(2 * 20 * 25, 7);
  return values;
}

const Values& Weights() {
  static const Values values = Pattern(12 * 20 * 9, 5);
  return values;
}

TEST_CASE("a convolution gives the same numbers from any layout to any other") {
  const Values expected = RunOnCpu(Conv(Layout::kPlain, Layout::kPlain), {Image(), Weights()})[0];
  for (const Layout x : kAllLayouts) {
    for (const Layout y : kAllLayouts) {
      CHECK(RunOnCpu(Conv(x, y), {Image(), Weights()})[0] == expected);
    }
  }
}

TEST_CASE("the bias is added before the relu") {
  OpInstance op{"Conv",
                {{"activation", std::string("relu")}},
                {Floats({1, 1, 1, 3}), Floats({2, 1, 1, 1}), Floats({2})},
                {Floats({1, 2, 1, 3})}};
  CHECK(RunOnCpu(op, {{-3, 0, 3}, {1, -1}, {1, 2}})[0] == Values{0, 1, 4, 5, 2, 0});
}

TEST_CASE("weights that change between runs are seen, whatever the scratch memory holds") {
  const OpInstance op = Conv(Layout::kChannels16, Layout::kChannels16);
  const auto kernel = MakeConv(op, {});
  REQUIRE(kernel.ok());
  const Tensor x(op.inputs[0].type, Image());
  Tensor y(op.outputs[0].type);
  Values weights = Weights();
  for (int step = 0; step < 3; ++step) {
    const Tensor w(op.inputs[1].type, weights);
    Tensor scratch({DType::kUInt8, {static_cast<int64_t>((*kernel)->scratch_bytes())},
                    Layout::kPlain});  // all NaN
    const void* inputs[] = {x.data(), w.data()};
    void* outputs[] = {y.data()};
    REQUIRE((*kernel)->Run({inputs, outputs, scratch.data()}).ok());
    CHECK(y.values() == RunOnCpu(op, {Image(), weights})[0]);
    std::reverse(weights.begin(), weights.end());
  }
}

TEST_CASE("a convolution asks for blocked images, but takes a first image plain") {
  const LayoutChoice first = ChooseConvLayouts(
      {"Conv", {}, {Floats({1, 1, 8, 8}), Floats({32, 1, 3, 3})}, {Floats({1, 32, 6, 6})}}, {});
  const LayoutChoice second = ChooseConvLayouts(Conv(Layout::kPlain, Layout::kPlain), {});
  CHECK(first.inputs == std::vector<Layout>{Layout::kPlain, Layout::kPlain});
  // What one convolution writes the next one reads.
  CHECK(first.outputs == std::vector<Layout>{second.inputs[0]});
}

TEST_CASE("weights are plain and everything is float32") {
  OpInstance op = Conv(Layout::kPlain, Layout::kPlain);
  CHECK(SupportsConv(op));
  op.inputs[1] = Floats({12, 20, 3, 3}, Layout::kChannels8);
  CHECK_FALSE(SupportsConv(op));
  op.inputs[1] = Int64s({12, 20, 3, 3});
  CHECK_FALSE(SupportsConv(op));
}

}  // namespace
}  // namespace rm::kernels::cpu
