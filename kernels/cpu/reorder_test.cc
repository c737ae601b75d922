#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Bytes;
using testing::Floats;
using testing::Int64s;
using testing::RunEntry;
using testing::Tensor;

TEST_CASE("an image keeps its elements from any layout to any other, and its padding is zero") {
  for (const Shape& shape : {Shape{2, 20, 3, 5}, Shape{1, 1, 4, 4}, Shape{3, 16, 1, 1}}) {
    const Values values = Pattern(ElementCount(shape), 100);
    for (const Layout from : kAllLayouts) {
      for (const Layout to : kAllLayouts) {
        const OpInstance op{"Reorder", {}, {Floats(shape, from)}, {Floats(shape, to)}};
        const KernelEntry* entry = FindKernel(Table(), op);
        REQUIRE(entry != nullptr);
        Tensor x(op.inputs[0].type, values);
        Tensor y(op.outputs[0].type);
        REQUIRE(RunEntry(*entry, op, {&x}, {&y}).ok());
        INFO(op.ToString());
        CHECK(y.values() == values);
        CHECK(y.PaddingIsZero());
        CHECK(y.GuardsAreIntact());
      }
    }
  }
}

TEST_CASE("indexes are reordered as images are") {
  Values values(20 * 6);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(2 * i);
  const OpInstance op{"Reorder",
                      {},
                      {Bytes({1, 20, 2, 3}, Layout::kChannels16)},
                      {Bytes({1, 20, 2, 3})}};
  CHECK(RunOnCpu(op, {values})[0] == values);
}

TEST_CASE("other dtypes, other ranks and empty images are left to the reference") {
  CHECK_FALSE(SupportsReorder({"Reorder", {}, {Int64s({1, 2, 3, 4})}, {Int64s({1, 2, 3, 4})}}));
  CHECK_FALSE(SupportsReorder({"Reorder", {}, {Floats({2, 3})}, {Floats({2, 3})}}));
  CHECK_FALSE(
      SupportsReorder({"Reorder", {}, {Floats({0, 2, 3, 4})}, {Floats({0, 2, 3, 4})}}));
}

TEST_CASE("a reorder is wanted as it is") {
  const OpInstance op{
      "Reorder", {}, {Floats({1, 2, 3, 4})}, {Floats({1, 2, 3, 4}, Layout::kChannels8)}};
  const LayoutChoice choice = ChooseReorderLayouts(op, {});
  CHECK(choice.inputs == std::vector<Layout>{Layout::kPlain});
  CHECK(choice.outputs == std::vector<Layout>{Layout::kChannels8});
}

}  // namespace
}  // namespace rm::kernels::cpu
