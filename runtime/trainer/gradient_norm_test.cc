#include "runtime/trainer/gradient_norm.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace rm::trainer {
namespace {

double NormOf(std::vector<std::vector<float>> buckets) {
  std::vector<absl::Span<float>> spans;
  for (auto& bucket : buckets) spans.push_back(absl::MakeSpan(bucket));
  return GradientNorm(spans);
}

TEST_CASE("the norm is over all buckets together, whatever their sizes") {
  CHECK(NormOf({}) == 0);
  CHECK(NormOf({{3}, {4}}) == 5);
  CHECK(NormOf({std::vector<float>(64, 0.5F), std::vector<float>(19, 2.0F)}) ==
        Approx(std::sqrt(16.0 + 76.0)));
  // Squares beyond float32.
  CHECK(NormOf({{3e30F, 4e30F}}) == Approx(5e30));
  CHECK(NormOf({{3e-30F, 4e-30F}}) == Approx(5e-30));
}

TEST_CASE("what is no number is found, wherever it stands") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity()}) {
    for (size_t i = 0; i < 20; ++i) {
      std::vector<float> bucket(20, 1.0F);
      bucket[i] = bad;
      CHECK_FALSE(std::isfinite(NormOf({{1}, bucket})));
    }
  }
}

TEST_CASE("gradients are scaled to the bound when they are above it, and not else") {
  CHECK(ClipScale(4, 1) == Approx(0.25));
  CHECK(ClipScale(1, 1) == Approx(1));
  CHECK(ClipScale(0.5, 1) == 1.0F);
  CHECK(ClipScale(0, 1) == 1.0F);
  CHECK(ClipScale(100, 0) == 1.0F);  // no bound
}

}  // namespace
}  // namespace rm::trainer
