#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

OpInstance ConvGradWeight(int64_t channels, Layout x, Layout dy) {
  return {"ConvGradWeight", {{"pads", Ints{1, 0, 0, 1}}},
          {Floats({2, channels, 5, 5}, x), Floats({2, 12, 4, 4}, dy)},
          {Floats({12, channels, 3, 3}), Floats({12})}};
}

// The gradients in all layouts, which must agree: the numbers are small and whole.
void CheckAllLayouts(int64_t channels) {
  const std::vector<Values> inputs{Pattern(2 * channels * 25, 7), Pattern(2 * 12 * 16, 5)};
  const auto expected =
      RunOnCpu(ConvGradWeight(channels, Layout::kPlain, Layout::kPlain), inputs);
  for (const Layout x : kAllLayouts) {
    for (const Layout dy : kAllLayouts) {
      CHECK(RunOnCpu(ConvGradWeight(channels, x, dy), inputs) == expected);
    }
  }
}

TEST_CASE("the weight gradient is plain and the same from every layout") { CheckAllLayouts(20); }

TEST_CASE("so it is for a first layer, by whichever kernel") {
  CheckAllLayouts(1);
  CheckAllLayouts(3);
}

TEST_CASE("each tap gathers what it saw, the bias the gradient alone") {
  const OpInstance op{"ConvGradWeight",
                      {},
                      {Floats({1, 1, 1, 3}), Floats({1, 1, 1, 2})},
                      {Floats({1, 1, 1, 2}), Floats({1})}};
  const auto grads = RunOnCpu(op, {{1, 2, 3}, {10, 100}});
  CHECK(grads[0] == Values{210, 320});
  CHECK(grads[1] == Values{110});
}

TEST_CASE("the bias gradient may be left out") {
  for (const Layout dy : kAllLayouts) {
    const OpInstance op{"ConvGradWeight",
                        {},
                        {Floats({1, 1, 1, 2}), Floats({1, 1, 1, 2}, dy)},
                        {Floats({1, 1, 1, 1})}};
    CHECK(RunOnCpu(op, {{3, 4}, {1, 10}})[0] == Values{43});
  }
}

TEST_CASE("our own loops take a first layer with blocked gradients, oneDNN the rest") {
  const auto taken = [](int64_t channels, Layout x, Layout dy) {
    return TakenBy(ConvGradWeight(channels, x, dy));
  };
  CHECK(taken(1, Layout::kPlain, Layout::kChannels8) == "vector_first_conv_grad_weight");
  CHECK(taken(3, Layout::kPlain, Layout::kChannels16) == "vector_first_conv_grad_weight");
  CHECK(taken(4, Layout::kPlain, Layout::kChannels16) == "onednn_conv_grad_weight");
  CHECK(taken(1, Layout::kPlain, Layout::kPlain) == "onednn_conv_grad_weight");
  CHECK(taken(1, Layout::kChannels8, Layout::kChannels8) == "onednn_conv_grad_weight");
  OpInstance groups{"ConvGradWeight",
                    {{"group", int64_t{2}}},
                    {Floats({1, 2, 5, 5}), Floats({1, 8, 3, 3}, Layout::kChannels8)},
                    {Floats({8, 1, 3, 3})}};
  CHECK(TakenBy(groups) == "onednn_conv_grad_weight");
}

}  // namespace
}  // namespace rm::kernels::cpu
