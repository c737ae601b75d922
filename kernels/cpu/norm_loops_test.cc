#include "kernels/cpu/norm_loops.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

std::vector<Build<NormLoops>> Builds() {
  return RunnableBuilds(v1::kNormLoops, v3::kNormLoops, v4::kNormLoops);
}

Values Random(int64_t n, uint64_t seed) {
  base::RandomStream random(seed, 1);
  Values values(static_cast<size_t>(n));
  for (float& value : values) value = random.NextNormal();
  return values;
}

double At(const Values& values, int64_t i) {
  return static_cast<double>(values[static_cast<size_t>(i)]);
}

constexpr int64_t kSizes[] = {1, 2, 5, 16, 33, 127, 128, 1000};

TEST_CASE("rows of every length get mean 0 and variance 1") {
  for (const auto& build : Builds()) {
    for (const int64_t n : kSizes) {
      INFO(build.isa << " " << n);
      Values x = Random(2 * n, 1);
      for (float& value : x) value += 100;  // a mean that is large beside the deviation
      const Values ones(static_cast<size_t>(n), 1);
      Values y(x.size());
      Values mean(2);
      Values inv_std(2);
      build.loops->layer_norm(x.data(), ones.data(), nullptr, 1e-5F, y.data(), mean.data(),
                              inv_std.data(), 2, n);
      for (int64_t r = 0; r < 2; ++r) {
        double sum = 0;
        double squares = 0;
        for (int64_t i = 0; i < n; ++i) {
          sum += At(y, r * n + i);
          squares += At(y, r * n + i) * At(y, r * n + i);
        }
        CHECK(sum / static_cast<double>(n) == Approx(0).margin(1e-4));
        if (n > 1) CHECK(squares / static_cast<double>(n) == Approx(1).epsilon(1e-3));
        CHECK(At(mean, r) == Approx(100).margin(3));
        CHECK(At(inv_std, r) > 0);
      }
    }
  }
}

TEST_CASE("scale and bias are applied element by element, statistics are optional") {
  for (const auto& build : Builds()) {
    const Values x{1, 3};
    const Values scale{10, 100};
    const Values bias{1, 2};
    Values y(2);
    build.loops->layer_norm(x.data(), scale.data(), bias.data(), 0, y.data(), nullptr, nullptr, 1,
                            2);
    CHECK(y == Values{-9, 102});
  }
}

TEST_CASE("the gradient is orthogonal to what a row cannot change, and sums over rows") {
  for (const auto& build : Builds()) {
    for (const int64_t n : kSizes) {
      INFO(build.isa << " " << n);
      const int64_t rows = 3;
      const Values x = Random(rows * n, 1);
      const Values dy = Random(rows * n, 2);
      const Values scale = Random(n, 3);
      Values y(x.size());
      Values mean(3);
      Values inv_std(3);
      const Values ones(static_cast<size_t>(n), 1);
      build.loops->layer_norm(x.data(), ones.data(), nullptr, 1e-5F, y.data(), mean.data(),
                              inv_std.data(), rows, n);
      Values dx(x.size());
      Values dscale(static_cast<size_t>(n), 7);
      Values dbias(static_cast<size_t>(n), 7);
      build.loops->layer_norm_grad({dy.data(), x.data(), scale.data(), mean.data(), inv_std.data()},
                                   dx.data(), dscale.data(), dbias.data(), rows, n);
      for (int64_t r = 0; r < rows; ++r) {
        // A shift of the whole row changes nothing.
        double along = 0;
        for (int64_t i = 0; i < n; ++i) along += At(dx, r * n + i);
        CHECK(along == Approx(0).margin(1e-3 * std::sqrt(static_cast<double>(n))));
      }
      for (int64_t i = 0; i < n; ++i) {
        double scale_sum = 0;
        double bias_sum = 0;
        for (int64_t r = 0; r < rows; ++r) {
          scale_sum += At(dy, r * n + i) * At(y, r * n + i);
          bias_sum += At(dy, r * n + i);
        }
        REQUIRE(At(dscale, i) == Approx(scale_sum).margin(1e-5));
        REQUIRE(At(dbias, i) == Approx(bias_sum).margin(1e-5));
      }
    }
  }
}

TEST_CASE("the gradient may take dY's place") {
  for (const auto& build : Builds()) {
    const Values x{0, 0, 4, 4};
    const Values ones(4, 1);
    const Values mean{2};
    const Values inv_std{0.5F};
    Values dy{1, 0, 0, 0};
    Values sums(8);
    build.loops->layer_norm_grad({dy.data(), x.data(), ones.data(), mean.data(), inv_std.data()},
                                 dy.data(), sums.data(), sums.data() + 4, 1, 4);
    CHECK(dy == Values{0.25F, -0.25F, 0, 0});
    CHECK(sums == Values{-1, 0, 0, 0, 1, 0, 0, 0});
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
