#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using testing::Int64s;

OpInstance Pair(const std::string& op, const Operand& a, const Operand& b) {
  return {op, {}, {a, b}, {a}};
}

TEST_CASE("equal images are combined in any one layout") {
  const Values a = Pattern(60, 7);
  Values b = Pattern(60, 11);
  for (float& value : b) value += 0.5F;  // no 0 to divide by
  for (const std::string op : {"Add", "Sub", "Mul", "Div"}) {
    Values y(60);
    for (size_t i = 0; i < 60; ++i) {
      y[i] = op == "Add" ? a[i] + b[i] : op == "Sub" ? a[i] - b[i]
           : op == "Mul" ? a[i] * b[i] : a[i] / b[i];
    }
    for (const Layout layout : kAllLayouts) {
      const Operand image = Floats({2, 5, 2, 3}, layout);
      if (op == "Div" && ChannelBlock(layout) > 1) continue;  // 0 / 0 in the padding
      CHECK(RunOnCpu(Pair(op, image, image), {a, b})[0] == y);
    }
  }
}

TEST_CASE("rows and numbers repeat") {
  const Operand a = Floats({2, 1, 3});
  const Values values{1, 2, 3, 4, 5, 6};
  CHECK(RunOnCpu(Pair("Add", a, Floats({3})), {values, {10, 20, 30}})[0] ==
        Values{11, 22, 33, 14, 25, 36});
  CHECK(RunOnCpu(Pair("Mul", a, Floats({1, 1, 3})), {values, {10, 20, 30}})[0] ==
        Values{10, 40, 90, 40, 100, 180});
  CHECK(RunOnCpu(Pair("Sub", a, Floats({})), {values, {10}})[0] ==
        Values{-9, -8, -7, -6, -5, -4});
  CHECK(RunOnCpu(Pair("Div", a, Floats({1})), {values, {2}})[0] ==
        Values{0.5F, 1, 1.5F, 2, 2.5F, 3});
}

TEST_CASE("either side may be the one that repeats, or both") {
  const Operand y = Floats({2, 3});
  CHECK(RunOnCpu({"Sub", {}, {Floats({}), y}, {y}}, {{10}, {1, 2, 3, 4, 5, 6}})[0] ==
        Values{9, 8, 7, 6, 5, 4});
  CHECK(RunOnCpu({"Sub", {}, {Floats({2, 1}), Floats({3})}, {y}}, {{10, 20}, {1, 2, 3}})[0] ==
        Values{9, 8, 7, 19, 18, 17});
  CHECK(RunOnCpu({"Sub", {}, {Floats({3}), Floats({2, 1})}, {y}}, {{1, 2, 3}, {10, 20}})[0] ==
        Values{-9, -8, -7, -19, -18, -17});
}

TEST_CASE("different layouts, and whole numbers, are left to others") {
  const Operand plain = Floats({1, 2, 3, 4});
  const Operand blocked = Floats({1, 2, 3, 4}, Layout::kChannels8);
  CHECK_FALSE(SupportsPair(Pair("Add", blocked, plain)));
  CHECK_FALSE(SupportsPair(Pair("Add", blocked, Floats({4}))));
  CHECK_FALSE(SupportsPair(Pair("Div", blocked, blocked)));
  CHECK_FALSE(SupportsPair(Pair("Add", Int64s({4}), Int64s({4}))));
  CHECK_FALSE(SupportsWhere(
      {"Where", {}, {{{DType::kBool, {4}}}, Int64s({4}), Int64s({4})}, {Int64s({4})}}));
}

TEST_CASE("images of one shape go on in the first one's layout, others are plain") {
  const Operand blocked = Floats({1, 2, 3, 4}, Layout::kChannels8);
  const auto outputs = [&](const std::string& op, const Operand& b) {
    return ChoosePairLayouts(Pair(op, blocked, b), {}).outputs;
  };
  CHECK(outputs("Add", Floats({1, 2, 3, 4})) == std::vector<Layout>{Layout::kChannels8});
  CHECK(outputs("Add", Floats({4})) == std::vector<Layout>{Layout::kPlain});
  CHECK(outputs("Div", blocked) == std::vector<Layout>{Layout::kPlain});
}

TEST_CASE("Pow takes one exponent, whatever its shape") {
  const Operand x = Floats({3});
  for (const Shape& shape : {Shape{}, Shape{1}}) {
    const OpInstance op{"Pow", {}, {x, Floats(shape)}, {x}};
    CHECK(RunOnCpu(op, {{1, 2, -3}, {2}})[0] == Values{1, 4, 9});
    CHECK(RunOnCpu(op, {{1, 2, -3}, {3}})[0] == Values{1, 8, -27});
    CHECK(RunOnCpu(op, {{1, 4, 9}, {0.5F}})[0] == Values{1, 2, 3});
    CHECK(RunOnCpu(op, {{1, 2, 4}, {-1}})[0] == Values{1, 0.5F, 0.25F});
  }
  CHECK_FALSE(SupportsPow({"Pow", {}, {x, x}, {x}}));
}

TEST_CASE("the slope of a power") {
  const Operand x = Floats({3});
  const OpInstance op{"PowGrad", {}, {x, x, Floats({})}, {x}};
  CHECK(RunOnCpu(op, {{1, 2, 3}, {1, 2, -3}, {2}})[0] == Values{2, 8, -18});
  CHECK(RunOnCpu(op, {{1, 2, 3}, {1, 2, -3}, {3}})[0] == Values{3, 24, 81});
  CHECK(RunOnCpu(op, {{1, 2, 3}, {0, 2, -3}, {0}})[0] == Values{0, 0, 0});
  CHECK(RunOnCpu(op, {{1, 2, 3}, {1, 2, 4}, {-1}})[0] == Values{-1, -0.5F, -0.1875F});
  CHECK_FALSE(SupportsPowGrad({"PowGrad", {}, {x, x, x}, {x}}));
}

TEST_CASE("Where masks scores") {
  const Operand scores = Floats({2, 2, 2});
  const Operand mask{{DType::kBool, {2, 2}}};
  const OpInstance op{"Where", {}, {mask, scores, Floats({})}, {scores}};
  CHECK(RunOnCpu(op, {{1, 0, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8}, {-9}})[0] ==
        Values{1, -9, 3, 4, 5, -9, 7, 8});
  const OpInstance rows{
      "Where", {}, {{{DType::kBool, {2, 1}}}, Floats({3}), Floats({2, 3})}, {Floats({2, 3})}};
  CHECK(RunOnCpu(rows, {{1, 0}, {1, 2, 3}, {4, 5, 6, 7, 8, 9}})[0] == Values{1, 2, 3, 7, 8, 9});
}

}  // namespace
}  // namespace rm::kernels::cpu
