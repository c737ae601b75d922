#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using testing::RunEntry;
using testing::Tensor;

OpInstance Sgd(int64_t count) {
  const Operand x = Floats({count});
  return {"SgdUpdate", {}, {x, x, x, Floats({5})}, {x, x}};
}

TEST_CASE("the update is PyTorch's") {
  const struct {
    Values hyper;
    float w, g, m;
    float new_w, new_m;
  } cases[] = {
      {{0.5F, 0, 0, 0, 1}, 1, 2, 4, 0, 2},
      {{0.5F, 0, 0, 0, 0.5F}, 1, 4, 4, 0, 2},
      {{0.5F, 0.5F, 0, 0, 1}, 1, 2, 4, -1, 4},
      {{0.5F, 0.5F, 0, 1, 1}, 1, 2, 8, -1.5F, 6},
      {{0.5F, 0, 0.25F, 0, 1}, 4, 2, 0, 2.5F, 3},
      {{0.5F, 0.5F, 0.25F, 1, 1}, 4, 2, 2, 1.5F, 4},
  };
  for (const auto& c : cases) {
    // 40 elements: whole vectors and what is left.
    const auto outputs =
        RunOnCpu(Sgd(40), {Values(40, c.w), Values(40, c.g), Values(40, c.m), c.hyper});
    CHECK(outputs[0] == Values(40, c.new_w));
    CHECK(outputs[1] == Values(40, c.new_m));
  }
}

TEST_CASE("weights and momentum are updated in place, by any number of threads") {
  const OpInstance op = Sgd(70001);
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  REQUIRE(entry->in_place_input == 0);
  Tensor g(op.inputs[1].type, Pattern(70001, 13));
  Tensor hyper(op.inputs[3].type, {0.1F, 0.9F, 0.01F, 1, 1});
  std::vector<Tensor> weights;
  for (const int threads : {1, 2, 4}) {
    Tensor& w = weights.emplace_back(op.inputs[0].type, Pattern(70001, 7));
    Tensor m(op.inputs[2].type, Pattern(70001, 5));
    for (int step = 0; step < 3; ++step) {
      REQUIRE(RunEntry(*entry, op, {&w, &g, &m, &hyper}, {&w, &m}, {threads}).ok());
    }
    CHECK(w.SameBits(weights[0]));
  }
}

TEST_CASE("the hyperparameters are read at each run") {
  const OpInstance op = Sgd(1);
  for (const float rate : {0.5F, 0.25F}) {
    CHECK(RunOnCpu(op, {{1}, {1}, {0}, {rate, 0, 0, 0, 1}})[0] == Values{1 - rate});
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
