#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

const std::string kTanh = "tanh";

TEST_CASE("functions work on images in any layout") {
  const Values x = Pattern(2 * 16 * 2 * 3, 7);
  for (const std::string op : {"Tanh", "Sigmoid", "Gelu", "HardSwish", "Exp", "Erf", "Neg"}) {
    Values expected;
    for (const Layout layout : kAllLayouts) {
      const Operand image = Floats({2, 16, 2, 3}, layout);
      const Values y = RunOnCpu({op, {}, {image}, {image}}, {x})[0];
      if (expected.empty()) expected = y;
      INFO(op << " in " << LayoutName(layout));
      CHECK(y == expected);
    }
  }
}

TEST_CASE("where padding would not stay zero the layout must be without any") {
  const Operand padded = Floats({2, 5, 2, 3}, Layout::kChannels8);
  const Operand full = Floats({2, 8, 2, 3}, Layout::kChannels8);
  for (const std::string op : {"Sigmoid", "Exp", "Reciprocal"}) {
    INFO(op);
    CHECK_FALSE(SupportsFunction({op, {}, {padded}, {padded}}));
    CHECK(SupportsFunction({op, {}, {full}, {full}}));
    CHECK(ChooseFunctionLayouts({op, {}, {padded}, {padded}}, {}).outputs[0] == Layout::kPlain);
    CHECK(ChooseFunctionLayouts({op, {}, {full}, {full}}, {}).outputs[0] == Layout::kChannels8);
  }
  const Attributes away{{"min", 1.0F}};
  CHECK_FALSE(SupportsFunction({"Clip", away, {padded}, {padded}}));
  for (const std::string op : {"Tanh", "Gelu", "Sqrt", "Clip", "Elu"}) {
    CHECK(SupportsFunction({op, {}, {padded}, {padded}}));
  }
  CHECK_FALSE(SupportsSlope({"SqrtGrad", {}, {padded, padded}, {padded}}));
  CHECK(SupportsSlope({"SigmoidGrad", {}, {padded, padded}, {padded}}));
}

TEST_CASE("Gelu has two forms") {
  const Operand x = Floats({3});
  const Values exact = RunOnCpu({"Gelu", {}, {x}, {x}}, {{-1, 0, 1}})[0];
  CHECK(exact[0] == Approx(-0.15865525));
  const Attributes by_tanh{{"approximate", kTanh}};
  const Values near = RunOnCpu({"Gelu", by_tanh, {x}, {x}}, {{-1, 0, 1}})[0];
  CHECK(near[0] == Approx(-0.15880801));
  const Values slope = RunOnCpu({"GeluGrad", by_tanh, {x, x}, {x}}, {{1, 2, 3}, {-1, 0, 1}})[0];
  CHECK(slope[0] == Approx(-0.08296408));
  CHECK(slope[1] == Approx(1));
}

TEST_CASE("attributes, and what they are when they are missing") {
  const Operand x = Floats({4});
  const Values values{-2, -1, 1, 8};
  const Attributes both{{"min", -1.5F}, {"max", 6.0F}};
  CHECK(RunOnCpu({"Clip", both, {x}, {x}}, {values})[0] == Values{-1.5F, -1, 1, 6});
  CHECK(RunOnCpu({"Clip", {}, {x}, {x}}, {values})[0] == values);
  CHECK(RunOnCpu({"ClipGrad", both, {x, x}, {x}}, {values, values})[0] == Values{0, -1, 1, 0});
  CHECK(RunOnCpu({"LeakyRelu", {}, {x}, {x}}, {values})[0] == Values{-0.02F, -0.01F, 1, 8});
  CHECK(RunOnCpu({"Elu", {}, {x}, {x}}, {values})[0][1] == Approx(-0.63212056));
  CHECK(RunOnCpu({"HardSigmoid", {}, {x}, {x}}, {values})[0][2] == Approx(0.7));
}

TEST_CASE("gradients go on in the layout of the forward pass") {
  const Operand plain = Floats({2, 16, 2, 3});
  const Operand blocked = Floats({2, 16, 2, 3}, Layout::kChannels16);
  const LayoutChoice choice =
      ChooseSlopeLayouts({"TanhGrad", {}, {plain, blocked}, {plain}}, {});
  CHECK(choice.inputs == std::vector<Layout>(2, Layout::kChannels16));
  CHECK(choice.outputs == std::vector<Layout>(1, Layout::kChannels16));
}

TEST_CASE("what has no loop of its own is left to the reference") {
  const Operand x = Floats({3});
  CHECK(TakenBy({"Cos", {}, {x}, {x}}).empty());
  CHECK(TakenBy({"AbsGrad", {}, {x, x}, {x}}).empty());
  CHECK(TakenBy({"Neg", {}, {testing::Int64s({3})}, {testing::Int64s({3})}}).empty());
  CHECK(TakenBy({"Tanh", {}, {x}, {x}}) == "vector_tanh");
}

}  // namespace
}  // namespace rm::kernels::cpu
