#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/onednn.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

const Attributes kTwo{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};

TEST_CASE("pools of images in blocks go to oneDNN, and come back in blocks") {
  if (!OneDnnHasAvx2()) return;
  const Layout layout = OneDnnHasAvx512() ? Layout::kChannels16 : Layout::kChannels8;
  const Operand x = Floats({2, 32, 4, 4}, layout);
  const Operand y = Floats({2, 32, 2, 2}, layout);
  const Operand one = Floats({2, 32, 1, 1}, layout);
  CHECK(TakenBy({"AveragePool", kTwo, {x}, {y}}) == "onednn_average_pool");
  CHECK(TakenBy({"AveragePoolGrad", kTwo, {y}, {x}}) == "onednn_average_pool_grad");
  CHECK(TakenBy({"GlobalAveragePool", {}, {x}, {one}}) == "onednn_global_average_pool");
  CHECK(TakenBy({"GlobalAveragePoolGrad", {}, {one}, {x}}) == "onednn_global_average_pool_grad");
}

TEST_CASE("a global pool averages each channel") {
  if (!OneDnnHasAvx2()) return;
  const Layout layout = OneDnnHasAvx512() ? Layout::kChannels16 : Layout::kChannels8;
  const Operand x = Floats({1, 16, 1, 2}, layout);
  const Operand y = Floats({1, 16, 1, 1}, layout);
  Values pixels(32);
  Values means(16);
  for (size_t i = 0; i < 16; ++i) {
    pixels[2 * i] = static_cast<float>(i);
    pixels[2 * i + 1] = static_cast<float>(i + 2);
    means[i] = static_cast<float>(i + 1);
  }
  CHECK(RunOnCpu({"GlobalAveragePool", {}, {x}, {y}}, {pixels})[0] == means);
}

TEST_CASE("images of two layouts and dilated windows are left to others") {
  const Operand plain = Floats({1, 16, 4, 4});
  const Operand last = Floats({1, 16, 2, 2}, Layout::kChannelsLast);
  CHECK_FALSE(SupportsAveragePool({"AveragePool", kTwo, {plain}, {last}}));
  const Attributes dilated{{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 2}}};
  CHECK_FALSE(SupportsAveragePool({"AveragePool", dilated, {plain}, {Floats({1, 16, 2, 2})}}));
}

TEST_CASE("a pool asks for the layout that its image has, or for blocks") {
  const Operand last = Floats({1, 16, 4, 4}, Layout::kChannelsLast);
  const Operand y = Floats({1, 16, 2, 2});
  const LayoutChoice choice = ChooseAveragePoolLayouts({"AveragePool", kTwo, {last}, {y}}, {});
  CHECK(choice.inputs == std::vector<Layout>{Layout::kChannelsLast});
  CHECK(choice.outputs == std::vector<Layout>{Layout::kChannelsLast});
}

}  // namespace
}  // namespace rm::kernels::cpu
