#include "kernels/cpu/pair_loops.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

constexpr int64_t kSizes[] = {0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, 1000};

Values Random(int64_t n, uint64_t stream) {
  base::RandomStream random(1, stream);
  Values values(static_cast<size_t>(n));
  for (float& value : values) value = random.NextNormal();
  return values;
}

struct Operation {
  PairLoops::Forms PairLoops::*forms;
  float (*of)(float a, float b);
};

const Operation kOperations[] = {
    {&PairLoops::add, [](float a, float b) { return a + b; }},
    {&PairLoops::sub, [](float a, float b) { return a - b; }},
    {&PairLoops::mul, [](float a, float b) { return a * b; }},
    {&PairLoops::div, [](float a, float b) { return a / b; }},
};

TEST_CASE("arithmetic is that of float32, of two ranges and of a range and a number") {
  for (const auto& build : RunnableBuilds(v1::kPairLoops, v3::kPairLoops, v4::kPairLoops)) {
    for (const Operation& operation : kOperations) {
      const PairLoops::Forms& forms = build.loops->*operation.forms;
      for (const int64_t n : kSizes) {
        INFO(build.isa << ", " << n << " elements");
        const Values a = Random(n, 1);
        const Values b = Random(n, 2);
        const float number = 0.3F;
        Values y(a.size());
        forms.both(a.data(), b.data(), y.data(), n);
        for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == operation.of(a[i], b[i]));
        forms.by_number(a.data(), &number, y.data(), n);
        for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == operation.of(a[i], number));
        forms.of_number(&number, b.data(), y.data(), n);
        for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == operation.of(number, b[i]));
        // In place.
        y = a;
        forms.both(y.data(), b.data(), y.data(), n);
        for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == operation.of(a[i], b[i]));
      }
    }
  }
}

TEST_CASE("where chooses element by element") {
  for (const auto& build : RunnableBuilds(v1::kPairLoops, v3::kPairLoops, v4::kPairLoops)) {
    for (const int64_t n : kSizes) {
      for (const bool repeats_x : {false, true}) {
        for (const bool repeats_y : {false, true}) {
          INFO(build.isa << ", " << n << " elements");
          const Values x = Random(n, 1);
          const Values y = Random(n, 2);
          std::vector<uint8_t> condition(x.size());
          for (size_t i = 0; i < condition.size(); ++i) condition[i] = i % 3 == 0 ? 1 : 0;
          Values z(x.size());
          build.loops->where(condition.data(), x.data(), repeats_x, y.data(), repeats_y, z.data(),
                             n);
          for (size_t i = 0; i < z.size(); ++i) {
            REQUIRE(z[i] == (i % 3 == 0 ? x[repeats_x ? 0 : i] : y[repeats_y ? 0 : i]));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
