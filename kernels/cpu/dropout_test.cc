#include "kernels/api/dropout.h"

#include <algorithm>

#include "kernels/cpu/dropout_loops.h"
#include "kernels/cpu/isa_testing.h"
#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using testing::Int64s;
using testing::RunEntry;
using testing::Tensor;

OpInstance Dropout(Shape shape, float ratio) {
  const Operand x = Floats(std::move(shape));
  return {"DropoutTraining", {{"ratio", ratio}, {"stream", int64_t{-9}}}, {x, Int64s({3})}, {x}};
}

TEST_CASE("every bit is what the words say, row by row") {
  const Shape shapes[] = {{1, 1}, {3, 5}, {4, 2, 3, 11}, {7, 128}, {2, 1000}, {0, 4}, {5}};
  for (const Shape& shape : shapes) {
    for (const float ratio : {0.0F, 0.25F, 0.9F}) {
      const OpInstance op = Dropout(shape, ratio);
      const Values x = Pattern(ElementCount(shape), 11);
      const Values y = RunOnCpu(op, {x, {1, 2, 300}})[0];
      const int64_t elements = shape[0] == 0 ? 1 : ElementCount(shape) / shape[0];
      for (size_t i = 0; i < x.size(); ++i) {
        const auto at = static_cast<int64_t>(i);
        const uint64_t key = DropoutKey({1, 2, 300}, 300 + at / elements, -9);
        const bool kept = DropoutWord(key, at % elements) >= DropoutThreshold(ratio);
        REQUIRE(y[i] == (kept ? x[i] * (1 / (1 - ratio)) : 0));
      }
    }
  }
}

TEST_CASE("every build draws the same words, however a range is cut, and in place") {
  constexpr int64_t kCount = 1003;
  const uint64_t key = DropoutKey({1, 2, 0}, 3, 4);
  const uint32_t threshold = DropoutThreshold(0.5F);
  const DropoutRule rule{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32), threshold,
                         2.0F};
  for (const auto& build :
       RunnableBuilds(v1::kDropoutLoops, v3::kDropoutLoops, v4::kDropoutLoops)) {
    INFO(build.isa);
    Values y(kCount, 1.0F);
    for (int64_t begin = 0, part = 1; begin < kCount; begin += part, part += 7) {
      build.loops->dropout(y.data(), y.data(), begin, std::min(begin + part, kCount), rule);
    }
    for (int64_t i = 0; i < kCount; ++i) {
      REQUIRE(y[static_cast<size_t>(i)] == (DropoutWord(key, i) >= threshold ? 2.0F : 0.0F));
    }
  }
}

TEST_CASE("the number of threads changes no bit") {
  const OpInstance op = Dropout({70, 1001}, 0.5F);
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  Tensor x(op.inputs[0].type, Pattern(70070, 13));
  Tensor counters(op.inputs[1].type, {3, 4, 5});
  std::vector<Tensor> outputs;
  outputs.reserve(3);
  for (const int threads : {1, 2, 4}) {
    Tensor& y = outputs.emplace_back(op.outputs[0].type);
    REQUIRE(RunEntry(*entry, op, {&x, &counters}, {&y}, {threads}).ok());
    CHECK(y.SameBits(outputs[0]));
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
