#include <cmath>

#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

const Shape kShape{2, 2, 1, 2};
const Operand kC = Floats({2});
const Values kValues{1, 3, 0, 0, 1, 3, 6, 6};

void CheckClose(const Values& got, const Values& want) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    CHECK(static_cast<double>(got[i]) == Approx(static_cast<double>(want[i])).margin(1e-5));
  }
}

TEST_CASE("batch norm works in every layout, and keeps padding zero") {
  const Attributes exact{{"epsilon", 0.0F}};
  for (const Layout layout : kAllLayouts) {
    INFO(LayoutName(layout));
    const Operand x = Floats(kShape, layout);
    const auto trained =
        RunOnCpu({"BatchNormTraining", exact, {x, kC, kC}, {x, kC, kC, kC}},
                 {kValues, {1, 2}, {0, 10}});
    CheckClose(trained[0], {-1, 1, 8, 8, -1, 1, 12, 12});
    CheckClose(trained[1], {2, 3});
    CheckClose(trained[2], {4.0F / 3, 12});
    CheckClose(trained[3], {1, 1.0F / 3});
    const auto given = RunOnCpu({"BatchNormalization", exact, {x, kC, kC, kC, kC}, {x}},
                                {kValues, {2, 1}, {0, 10}, {1, 3}, {4, 9}});
    CheckClose(given[0], {0, 2, 9, 9, 0, 2, 11, 11});
    const auto gradient = RunOnCpu({"BatchNormGrad", {}, {x, x, kC, kC, kC}, {x, kC, kC}},
                                   {{4, 0, 1, 1, 0, 0, 1, 1},
                                    kValues,
                                    {2, 3},
                                    {2, 3},
                                    {1, 1.0F / 3}});
    CheckClose(gradient[0], {4, 0, 0, 0, -4, 0, 0, 0});
    CheckClose(gradient[1], {-4, 0});
    CheckClose(gradient[2], {4, 4});
  }
}

TEST_CASE("images of different layouts are refused") {
  const Operand plain = Floats(kShape);
  const Operand blocked = Floats(kShape, Layout::kChannels8);
  CHECK_FALSE(SupportsBatchNorm({"BatchNormTraining", {}, {plain, kC, kC}, {blocked}}));
  CHECK_FALSE(SupportsBatchNorm({"BatchNormTraining", {}, {blocked, kC, kC, plain}, {blocked}}));
  CHECK(SupportsBatchNorm({"BatchNormTraining", {}, {blocked, kC, kC, blocked}, {blocked}}));
}

TEST_CASE("batch norm stays in a blocked layout, and asks for one") {
  const Operand last = Floats({1, 32, 2, 2}, Layout::kChannelsLast);
  const Operand plain = Floats({1, 32, 2, 2});
  const Operand c = Floats({32});
  const LayoutChoice same =
      ChooseBatchNormLayouts({"BatchNormTraining", {}, {last, c, c}, {plain, c}}, {});
  CHECK(same.inputs ==
        std::vector<Layout>{Layout::kChannelsLast, Layout::kPlain, Layout::kPlain});
  CHECK(same.outputs == std::vector<Layout>{Layout::kChannelsLast, Layout::kPlain});
  const LayoutChoice grad =
      ChooseBatchNormGradLayouts({"BatchNormGrad", {}, {plain, last, c, c, c}, {plain, c, c}}, {});
  CHECK(grad.inputs[0] == Layout::kChannelsLast);
  CHECK(grad.outputs[0] == Layout::kChannelsLast);
}

}  // namespace
}  // namespace rm::kernels::cpu
