#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

OpInstance ReduceSum(const Ints& axes, const Shape& x, const Shape& y) {
  return {"ReduceSum", {{"axes", axes}}, {Floats(x)}, {Floats(y)}};
}

// X is 0, 1, 2, … over (2, 3, 4).
const Values& X() {
  static const Values values = [] {
    Values numbers(24);
    for (size_t i = 0; i < 24; ++i) numbers[i] = static_cast<float>(i);
    return numbers;
  }();
  return values;
}

TEST_CASE("neighbouring axes are summed, wherever they stand") {
  CHECK(RunOnCpu(ReduceSum({0}, {2, 3, 4}, {1, 3, 4}), {X()})[0] ==
        Values{12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34});
  CHECK(RunOnCpu(ReduceSum({1}, {2, 3, 4}, {2, 1, 4}), {X()})[0] ==
        Values{12, 15, 18, 21, 48, 51, 54, 57});
  CHECK(RunOnCpu(ReduceSum({2}, {2, 3, 4}, {2, 3, 1}), {X()})[0] ==
        Values{6, 22, 38, 54, 70, 86});
  CHECK(RunOnCpu(ReduceSum({0, 1}, {2, 3, 4}, {1, 1, 4}), {X()})[0] == Values{60, 66, 72, 78});
  CHECK(RunOnCpu(ReduceSum({-1, -2}, {2, 3, 4}, {2, 1, 1}), {X()})[0] == Values{66, 210});
  CHECK(RunOnCpu(ReduceSum({}, {2, 3, 4}, {1, 1, 1}), {X()})[0] == Values{276});
}

TEST_CASE("an axis of one element stands between no neighbours") {
  CHECK(RunOnCpu(ReduceSum({0, 2}, {6, 1, 4}, {1, 1, 1}), {X()})[0] == Values{276});
}

TEST_CASE("axes that do not lie side by side are left to the reference") {
  CHECK(SupportsReduceSum(ReduceSum({1}, {2, 3, 4}, {2, 1, 4})));
  CHECK_FALSE(SupportsReduceSum(ReduceSum({0, 2}, {2, 3, 4}, {1, 3, 1})));
}

TEST_CASE("sums over nothing are zero") {
  CHECK(RunOnCpu(ReduceSum({0}, {0, 3}, {1, 3}), {{}})[0] == Values{0, 0, 0});
}

}  // namespace
}  // namespace rm::kernels::cpu
