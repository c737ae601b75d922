// Softmax, LayerNormalization and their gradients as kernels: which instances they take, in what
// threads, and a case or two by hand. tests/parity compares them with the reference.
#include <cmath>

#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

const Operand kRows = Floats({2, 4});
const Operand kRow = Floats({4});
const Operand kNumbers = Floats({2, 1});

TEST_CASE("softmax is fast along the last axis alone") {
  CHECK(TakenBy({"Softmax", {}, {kRows}, {kRows}}) == "vector_softmax");
  CHECK(TakenBy({"Softmax", {{"axis", int64_t{1}}}, {kRows}, {kRows}}) == "vector_softmax");
  CHECK(TakenBy({"Softmax", {{"axis", int64_t{0}}}, {kRows}, {kRows}}).empty());
  const Operand none = Floats({2, 0});
  CHECK(TakenBy({"Softmax", {}, {none}, {none}}).empty());
  CHECK(TakenBy({"LogSoftmaxGrad", {}, {kRows, kRows}, {kRows}}) == "vector_log_softmax_grad");
}

TEST_CASE("equal elements share a softmax") {
  const Values x{3, 3, 3, 3, -INFINITY, -INFINITY, 1, 1};
  CHECK(RunOnCpu({"Softmax", {}, {kRows}, {kRows}}, {x})[0] ==
        Values{0.25F, 0.25F, 0.25F, 0.25F, 0, 0, 0.5F, 0.5F});
}

TEST_CASE("layer norm takes rows of several dimensions") {
  const Operand image = Floats({1, 2, 2});
  const Operand row = Floats({2, 2});
  const OpInstance op{"LayerNormalization",
                      {{"axis", int64_t{1}}, {"epsilon", 0.0F}},
                      {image, row},
                      {image}};
  CHECK(TakenBy(op) == "vector_layer_norm");
  CHECK(RunOnCpu(op, {{0, 0, 4, 4}, {1, 2, 3, 4}})[0] == Values{-1, -2, 3, 4});
}

TEST_CASE("threads change no bits of the gradient of layer norm") {
  const int64_t rows = 300;
  const int64_t n = 33;
  const Operand x = Floats({rows, n});
  const Operand scale = Floats({n});
  const Operand statistics = Floats({rows, 1});
  const OpInstance op{
      "LayerNormGrad", {}, {x, x, scale, statistics, statistics}, {x, scale, scale}};
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  std::vector<testing::Tensor> in;
  for (const Operand& operand : op.inputs) {
    in.emplace_back(operand.type, Pattern(operand.type.elements(), 101));
  }
  const auto run = [&](int threads) {
    std::vector<testing::Tensor> out;
    for (const Operand& operand : op.outputs) out.emplace_back(operand.type);
    const absl::Status status = testing::RunEntry(
        *entry, op, {&in[0], &in[1], &in[2], &in[3], &in[4]}, {&out[0], &out[1], &out[2]},
        {threads});
    REQUIRE(status.ok());
    return out;
  };
  const auto one = run(1);
  const auto many = run(3);
  for (size_t i = 0; i < one.size(); ++i) CHECK(one[i].SameBits(many[i]));
}

}  // namespace
}  // namespace rm::kernels::cpu
