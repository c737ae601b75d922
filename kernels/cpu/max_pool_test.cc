#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Bytes;
using testing::Floats;
using testing::RunEntry;
using testing::Tensor;

const Attributes& TwoByTwo() {
  static const auto& attributes = *new Attributes{{"kernel_shape", Ints{2, 2}},
                                                  {"strides", Ints{2, 2}}};
  return attributes;
}

// Channel c of the image is the first one plus 100 · c, so that channels cannot be mixed up.
Values Channels(const Values& first, int64_t channels) {
  Values values;
  for (int64_t c = 0; c < channels; ++c) {
    for (const float value : first) values.push_back(value + 100 * static_cast<float>(c));
  }
  return values;
}

TEST_CASE("maxima and their places are found in every layout") {
  for (const Layout layout : kAllLayouts) {
    const OpInstance op{"MaxPool",
                        TwoByTwo(),
                        {Floats({1, 9, 2, 4}, layout)},
                        {Floats({1, 9, 1, 2}, layout), Bytes({1, 9, 1, 2}, layout)}};
    const auto outputs = RunOnCpu(op, {Channels({1, 2, 7, 5, 3, 4, 7, 6}, 9)});
    CHECK(outputs[0] == Channels({4, 7}, 9));
    for (size_t i = 0; i < outputs[1].size(); ++i) CHECK(outputs[1][i] == (i % 2 == 0 ? 3 : 0));
  }
}

TEST_CASE("gradients go back to where the maxima were, in every layout") {
  for (const Layout layout : kAllLayouts) {
    const OpInstance op{"MaxPoolGrad",
                        TwoByTwo(),
                        {Floats({1, 2, 1, 2}, layout), Bytes({1, 2, 1, 2}, layout)},
                        {Floats({1, 2, 2, 4}, layout)}};
    CHECK(RunOnCpu(op, {{1, 2, 3, 4}, {3, 0, 1, 2}})[0] ==
          Values{0, 0, 2, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0});
  }
}

TEST_CASE("the padding of a blocked index is zero even where windows begin in the padding") {
  const Attributes attributes{{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 1, 0, 0}}};
  for (const Layout layout : {Layout::kChannels8, Layout::kChannels16}) {
    const OpInstance op{"MaxPool",
                        attributes,
                        {Floats({2, 9, 2, 2}, layout)},
                        {Floats({2, 9, 2, 2}, layout), Bytes({2, 9, 2, 2}, layout)}};
    const KernelEntry* entry = FindKernel(Table(), op);
    REQUIRE(entry != nullptr);
    Tensor x(op.inputs[0].type, Pattern(72, 7));
    Tensor y(op.outputs[0].type);
    Tensor index(op.outputs[1].type);
    REQUIRE(RunEntry(*entry, op, {&x}, {&y, &index}).ok());
    CHECK(y.PaddingIsZero());
    CHECK(index.PaddingIsZero());
    CHECK(index.values()[0] == 3);  // the only tap of the first window that is inside
  }
}

TEST_CASE("operands in different layouts and windows of more than 256 elements are refused") {
  const Operand plain = Floats({1, 8, 2, 2});
  const Operand blocked = Floats({1, 8, 2, 2}, Layout::kChannels8);
  const Operand pooled = Floats({1, 8, 1, 1}, Layout::kChannels8);
  CHECK(SupportsMaxPool({"MaxPool", TwoByTwo(), {blocked}, {pooled}}));
  CHECK_FALSE(SupportsMaxPool({"MaxPool", TwoByTwo(), {plain}, {pooled}}));
  CHECK_FALSE(SupportsMaxPool(
      {"MaxPool", TwoByTwo(), {blocked}, {pooled, Bytes({1, 8, 1, 1})}}));
  const Attributes wide{{"kernel_shape", Ints{1, 257}}};
  CHECK_FALSE(SupportsMaxPool(
      {"MaxPool", wide, {Floats({1, 1, 1, 257})}, {Floats({1, 1, 1, 1})}}));
}

}  // namespace
}  // namespace rm::kernels::cpu
