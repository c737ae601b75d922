#include <cmath>

#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

TEST_CASE("relu and its gradient work in every layout, over padded blocks too") {
  const Shape shape{2, 5, 2, 3};
  const Values x = Pattern(60, 7);
  Values y(60);
  Values dx(60);
  for (size_t i = 0; i < 60; ++i) {
    y[i] = x[i] < 0 ? 0 : x[i];
    dx[i] = x[i] > 0 ? static_cast<float>(i) : 0;
  }
  Values dy(60);
  for (size_t i = 0; i < 60; ++i) dy[i] = static_cast<float>(i);
  for (const Layout layout : kAllLayouts) {
    const Operand image = Floats(shape, layout);
    CHECK(RunOnCpu({"Relu", {}, {image}, {image}}, {x})[0] == y);
    CHECK(RunOnCpu({"ReluGrad", {}, {image, image}, {image}}, {dy, y})[0] == dx);
  }
}

TEST_CASE("a NaN is not swallowed") {
  const Operand one = Floats({1});
  CHECK(std::isnan(RunOnCpu({"Relu", {}, {one}, {one}}, {{NAN}})[0][0]));
}

TEST_CASE("threads change no bits") {
  const Operand x = Floats({100003});
  const Values values = Pattern(100003, 1001);
  testing::Tensor in(x.type, values);
  testing::Tensor one(x.type);
  testing::Tensor many(x.type);
  const OpInstance op{"Relu", {}, {x}, {x}};
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  REQUIRE(testing::RunEntry(*entry, op, {&in}, {&one}, {1}).ok());
  REQUIRE(testing::RunEntry(*entry, op, {&in}, {&many}, {3}).ok());
  CHECK(one.SameBits(many));
}

TEST_CASE("operands in different layouts are refused") {
  const Operand plain = Floats({1, 2, 3, 4});
  const Operand blocked = Floats({1, 2, 3, 4}, Layout::kChannels8);
  CHECK_FALSE(SupportsRelu({"Relu", {}, {plain}, {blocked}}));
  CHECK_FALSE(SupportsReluGrad({"ReluGrad", {}, {plain, blocked}, {blocked}}));
  CHECK(SupportsReluGrad({"ReluGrad", {}, {blocked, blocked}, {blocked}}));
}

TEST_CASE("relu stays in its input's layout, its gradient in the forward result's") {
  const Operand plain = Floats({1, 2, 3, 4});
  const Operand last = Floats({1, 2, 3, 4}, Layout::kChannelsLast);
  const LayoutChoice relu = ChooseReluLayouts({"Relu", {}, {last}, {plain}}, {});
  CHECK(relu.outputs == std::vector<Layout>{Layout::kChannelsLast});
  const LayoutChoice grad = ChooseReluGradLayouts({"ReluGrad", {}, {plain, last}, {plain}}, {});
  CHECK(grad.inputs == std::vector<Layout>{Layout::kChannelsLast, Layout::kChannelsLast});
}

}  // namespace
}  // namespace rm::kernels::cpu
