#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

OpInstance Add(const Operand& a, const Operand& b) { return {"Add", {}, {a, b}, {a}}; }

TEST_CASE("equal images are added in any one layout") {
  const Values a = Pattern(60, 7);
  const Values b = Pattern(60, 11);
  Values y(60);
  for (size_t i = 0; i < 60; ++i) y[i] = a[i] + b[i];
  for (const Layout layout : kAllLayouts) {
    const Operand image = Floats({2, 5, 2, 3}, layout);
    CHECK(RunOnCpu(Add(image, image), {a, b})[0] == y);
  }
}

TEST_CASE("rows and numbers repeat") {
  const Operand a = Floats({2, 1, 3});
  const Values values{1, 2, 3, 4, 5, 6};
  CHECK(RunOnCpu(Add(a, Floats({3})), {values, {10, 20, 30}})[0] ==
        Values{11, 22, 33, 14, 25, 36});
  CHECK(RunOnCpu(Add(a, Floats({1, 1, 3})), {values, {10, 20, 30}})[0] ==
        Values{11, 22, 33, 14, 25, 36});
  CHECK(RunOnCpu(Add(a, Floats({})), {values, {10}})[0] == Values{11, 12, 13, 14, 15, 16});
  CHECK(RunOnCpu(Add(a, Floats({1})), {values, {10}})[0] == Values{11, 12, 13, 14, 15, 16});
}

TEST_CASE("other broadcasts, and different layouts, are left to others") {
  const Operand a = Floats({2, 3});
  CHECK_FALSE(SupportsAdd(Add(a, Floats({2, 1}))));
  CHECK_FALSE(SupportsAdd({"Add", {}, {Floats({3}), a}, {a}}));
  const Operand plain = Floats({1, 2, 3, 4});
  const Operand blocked = Floats({1, 2, 3, 4}, Layout::kChannels8);
  CHECK_FALSE(SupportsAdd(Add(blocked, plain)));
  CHECK_FALSE(SupportsAdd(Add(blocked, Floats({4}))));
}

TEST_CASE("a sum of images goes on in the first one's layout, other sums are plain") {
  const Operand blocked = Floats({1, 2, 3, 4}, Layout::kChannels8);
  CHECK(ChooseAddLayouts(Add(blocked, Floats({1, 2, 3, 4})), {}).outputs ==
        std::vector<Layout>{Layout::kChannels8});
  CHECK(ChooseAddLayouts(Add(blocked, Floats({4})), {}).outputs ==
        std::vector<Layout>{Layout::kPlain});
}

}  // namespace
}  // namespace rm::kernels::cpu
