#include <catch2/catch.hpp>

#include "kernels/api/dropout.h"
#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using testing::Int64s;
using Values = std::vector<float>;

OpInstance Dropout(int64_t rows, int64_t elements, float ratio, int64_t stream) {
  const Operand x = Floats({rows, elements});
  return {"DropoutTraining", {{"ratio", ratio}, {"stream", stream}}, {x, Int64s({3})}, {x}};
}

Values Run(int64_t rows, int64_t elements, const Values& x, const Values& counters,
           int64_t stream = 7) {
  const auto result = Compute(Table(), Dropout(rows, elements, 0.5F, stream), {x, counters});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("what is kept is scaled, what is dropped is zero, as the words say") {
  const Values y = Run(2, 50, Values(100, 3.0F), {4, 5, 10});
  for (int64_t row = 0; row < 2; ++row) {
    const uint64_t key = DropoutKey({4, 5, 10}, 10 + row, 7);
    for (int64_t i = 0; i < 50; ++i) {
      const bool kept = DropoutWord(key, i) >= DropoutThreshold(0.5F);
      CHECK(y[static_cast<size_t>(row * 50 + i)] == (kept ? 6.0F : 0.0F));
    }
  }
}

TEST_CASE("a sample's mask depends on its place in the global batch, not on who computes it") {
  const Values whole = Run(4, 30, Values(120, 1.0F), {1, 2, 20});
  const Values second_half = Run(2, 30, Values(60, 1.0F), {1, 2, 22});
  CHECK(Values(whole.begin() + 60, whole.end()) == second_half);
}

TEST_CASE("seed, step and node each give another mask") {
  const Values x(200, 1.0F);
  const Values first = Run(1, 200, x, {1, 2, 0});
  CHECK(Run(1, 200, x, {1, 2, 0}) == first);
  CHECK(Run(1, 200, x, {2, 2, 0}) != first);
  CHECK(Run(1, 200, x, {1, 3, 0}) != first);
  CHECK(Run(1, 200, x, {1, 2, 1}) != first);
  CHECK(Run(1, 200, x, {1, 2, 0}, 8) != first);
}

}  // namespace
}  // namespace rm::kernels::ref
