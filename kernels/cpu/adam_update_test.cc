#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "kernels/cpu/adam_loops.h"
#include "kernels/cpu/isa_testing.h"
#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using testing::RunEntry;
using testing::Tensor;

const Values kHyper = {0.01F, 0.9F, 0.1F, 0.999F, 0.001F, 1e-8F, 0.02F, 0.99F, 0.5F, 0.25F};

OpInstance Adam(int64_t count) {
  const Operand x = Floats({count});
  return {"AdamUpdate", {}, {x, x, x, x, Floats({10})}, {x, x, x}};
}

Values Random(int64_t count, uint64_t stream) {
  base::RandomStream random(1, stream);
  Values values(static_cast<size_t>(count));
  for (float& value : values) value = random.NextUniform();
  return values;
}

TEST_CASE("the update is the rule's, for vectors and for what is left of them") {
  for (const int64_t count : {1, 3, 16, 31, 64, 1003}) {
    const Values w = Random(count, 1), g = Random(count, 2), m = Random(count, 3),
                 v = Random(count, 4);
    const auto outputs = RunOnCpu(Adam(count), {w, g, m, v, kHyper});
    for (size_t i = 0; i < w.size(); ++i) {
      const auto at = [i](const Values& values) { return static_cast<double>(values[i]); };
      const double gradient = 0.25 * at(g) + 0.02 * at(w);
      const double mean = 0.9 * at(m) + 0.1 * gradient;
      const double square = 0.999 * at(v) + 0.001 * gradient * gradient;
      const double root = std::sqrt(square) / 0.5 + 1e-8;
      REQUIRE(at(outputs[0]) == Approx(0.99 * at(w) - 0.01 * mean / root).epsilon(1e-5));
      REQUIRE(at(outputs[1]) == Approx(mean).epsilon(1e-6));
      REQUIRE(at(outputs[2]) == Approx(square).epsilon(1e-6));
    }
  }
}

TEST_CASE("every build gives the same bits however a range is cut, and in place") {
  constexpr int64_t kCount = 1003;
  const AdamRule rule{0.01F, 0.9F, 0.1F, 0.999F, 0.001F, 1e-8F, 0.02F, 0.99F, 0.5F, 0.25F};
  for (const auto& build : RunnableBuilds(v1::kAdamLoops, v3::kAdamLoops, v4::kAdamLoops)) {
    INFO(build.isa);
    Values w = Random(kCount, 1), m = Random(kCount, 3), v = Random(kCount, 4);
    const Values g = Random(kCount, 2);
    Values whole_w(w.size()), whole_m(w.size()), whole_v(w.size());
    build.loops->adam({w.data(), g.data(), m.data(), v.data(), whole_w.data(), whole_m.data(),
                       whole_v.data()},
                      0, kCount, rule);
    for (int64_t begin = 0, part = 1; begin < kCount; begin += part, part += 7) {
      const int64_t end = std::min(begin + part, kCount);
      build.loops->adam(
          {w.data(), g.data(), m.data(), v.data(), w.data(), m.data(), v.data()}, begin, end,
          rule);
    }
    CHECK(w == whole_w);
    CHECK(m == whole_m);
    CHECK(v == whole_v);
  }
}

TEST_CASE("the number of threads changes no bit") {
  const OpInstance op = Adam(70001);
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  REQUIRE(entry->in_place_input == 0);
  Tensor g(op.inputs[1].type, Random(70001, 2));
  Tensor hyper(op.inputs[4].type, kHyper);
  std::vector<Tensor> weights;
  for (const int threads : {1, 2, 4}) {
    Tensor& w = weights.emplace_back(op.inputs[0].type, Random(70001, 1));
    Tensor m(op.inputs[2].type, Random(70001, 3));
    Tensor v(op.inputs[3].type, Random(70001, 4));
    for (int step = 0; step < 3; ++step) {
      REQUIRE(RunEntry(*entry, op, {&w, &g, &m, &v, &hyper}, {&w, &m, &v}, {threads}).ok());
    }
    CHECK(w.SameBits(weights[0]));
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
