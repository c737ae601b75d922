#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

OpInstance Reduce(const std::string& op, const Ints& axes, const Shape& x, const Shape& y) {
  return {op, {{"axes", axes}}, {Floats(x)}, {Floats(y)}};
}
OpInstance ReduceSum(const Ints& axes, const Shape& x, const Shape& y) {
  return Reduce("ReduceSum", axes, x, y);
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

TEST_CASE("axes that do not lie side by side are summed run by run") {
  CHECK(RunOnCpu(ReduceSum({0, 2}, {2, 3, 4}, {1, 3, 1}), {X()})[0] == Values{60, 92, 124});
  CHECK(RunOnCpu(ReduceSum({0, 2, 4}, {2, 3, 2, 1, 2}, {1, 3, 1, 1, 1}), {X()})[0] ==
        Values{60, 92, 124});
  CHECK(RunOnCpu(ReduceSum({1, 3}, {1, 3, 2, 4}, {1, 1, 2, 1}), {X()})[0] == Values{114, 162});
}

TEST_CASE("a mean is a sum divided by the number of its terms") {
  CHECK(RunOnCpu(Reduce("ReduceMean", {1, 2}, {2, 3, 4}, {2, 1, 1}), {X()})[0] ==
        Values{5.5F, 17.5F});
  CHECK(RunOnCpu(Reduce("ReduceMean", {0, 2}, {2, 3, 4}, {1, 3, 1}), {X()})[0] ==
        Values{7.5F, 11.5F, 15.5F});
}

TEST_CASE("sums over nothing are zero, and of one element a copy") {
  CHECK(RunOnCpu(ReduceSum({0}, {0, 3}, {1, 3}), {{}})[0] == Values{0, 0, 0});
  CHECK(RunOnCpu(ReduceSum({0}, {1, 3}, {1, 3}), {{4, 5, 6}})[0] == Values{4, 5, 6});
}

TEST_CASE("gradients go back to every term, over neighbouring axes") {
  CHECK(RunOnCpu(Reduce("ReduceSumGrad", {1}, {2, 1}, {2, 3}), {{3, 6}})[0] ==
        Values{3, 3, 3, 6, 6, 6});
  CHECK(RunOnCpu(Reduce("ReduceMeanGrad", {0}, {1, 2}, {4, 2}), {{4, 8}})[0] ==
        Values{1, 2, 1, 2, 1, 2, 1, 2});
  CHECK(TakenBy(Reduce("ReduceSumGrad", {0, 2}, {1, 3, 1}, {2, 3, 4})).empty());
}

}  // namespace
}  // namespace rm::kernels::cpu
