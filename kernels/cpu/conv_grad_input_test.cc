#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

OpInstance ConvGradInput(Layout dy, Layout dx) {
  return {"ConvGradInput", {{"pads", Ints{1, 1, 1, 1}}},
          {Floats({2, 12, 5, 5}, dy), Floats({12, 20, 3, 3})},
          {Floats({2, 20, 5, 5}, dx)}};
}

TEST_CASE("the input gradient is the same in every layout") {
  const std::vector<Values> inputs{Pattern(2 * 12 * 25, 7), Pattern(12 * 20 * 9, 5)};
  const Values expected =
      RunOnCpu(ConvGradInput(Layout::kPlain, Layout::kPlain), inputs)[0];
  for (const Layout dy : kAllLayouts) {
    for (const Layout dx : kAllLayouts) {
      CHECK(RunOnCpu(ConvGradInput(dy, dx), inputs)[0] == expected);
    }
  }
}

TEST_CASE("strides leave zeros between the gradients") {
  const OpInstance op{"ConvGradInput",
                      {{"strides", Ints{1, 2}}},
                      {Floats({1, 1, 1, 2}), Floats({1, 1, 1, 1})},
                      {Floats({1, 1, 1, 4})}};
  CHECK(RunOnCpu(op, {{1, 10}, {3}})[0] == Values{3, 0, 30, 0});
}

TEST_CASE("groups hand their gradients to their own channels") {
  const OpInstance op{"ConvGradInput",
                      {{"group", int64_t{2}}},
                      {Floats({1, 4, 1, 1}), Floats({4, 1, 1, 1})},
                      {Floats({1, 2, 1, 1})}};
  CHECK(RunOnCpu(op, {{1, 10, 100, 1000}, {1, 2, 3, 4}})[0] == Values{21, 4300});
}

TEST_CASE("both images are wanted in the layout of the forward convolution") {
  const OpInstance op = ConvGradInput(Layout::kPlain, Layout::kPlain);
  const LayoutChoice choice = ChooseConvGradInputLayouts(op, {});
  REQUIRE(choice.inputs.size() == 2);
  CHECK(choice.inputs[0] == choice.outputs[0]);
  CHECK(choice.inputs[1] == Layout::kPlain);
}

}  // namespace
}  // namespace rm::kernels::cpu
