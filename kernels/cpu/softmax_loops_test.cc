#include "kernels/cpu/softmax_loops.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

std::vector<Build<SoftmaxLoops>> Builds() {
  return RunnableBuilds(v1::kSoftmaxLoops, v3::kSoftmaxLoops, v4::kSoftmaxLoops);
}

double LogSumExp(const Values& x) {
  const auto maximum = static_cast<double>(*std::max_element(x.begin(), x.end()));
  double sum = 0;
  for (const float value : x) sum += std::exp(static_cast<double>(value) - maximum);
  return maximum + std::log(sum);
}

TEST_CASE("the exponential is good to two units in the last place") {
  constexpr double kUlp = 1.2e-7;  // 2^-23
  for (const auto& build : Builds()) {
    // x = (0, v): the second probability is e^v / (1 + e^v), and 1 + e^v is exact to a rounding.
    for (double v = 0; v > -80; v -= 0.0371) {
      const Values x{0, static_cast<float>(v)};
      Values p(2);
      build.loops->softmax(x.data(), p.data(), 2);
      const double e = std::exp(static_cast<double>(x[1]));
      INFO(build.isa << " exp " << v);
      REQUIRE(std::abs(static_cast<double>(p[1]) / (e / (1 + e)) - 1) < 4 * kUlp);
    }
  }
}

TEST_CASE("rows of every length sum to one, and the logarithm of the total is returned") {
  base::RandomStream random(1, 1);
  for (const auto& build : Builds()) {
    for (const int64_t n : {1, 2, 3, 7, 8, 10, 16, 17, 65, 1000}) {
      Values x(static_cast<size_t>(n));
      for (float& value : x) value = 10 * random.NextNormal();
      Values p(x.size(), -1);
      const double log_total = build.loops->softmax(x.data(), p.data(), n);
      double sum = 0;
      for (const float value : p) sum += static_cast<double>(value);
      INFO(build.isa << " " << n);
      CHECK(sum == Approx(1).epsilon(1e-6));
      CHECK(log_total == Approx(LogSumExp(x)).epsilon(1e-6));
    }
  }
}

TEST_CASE("large and infinite logits behave") {
  for (const auto& build : Builds()) {
    Values p(3);
    const Values large{3e38F, 3e38F, -3e38F};
    build.loops->softmax(large.data(), p.data(), 3);
    CHECK(p == Values{0.5F, 0.5F, 0});
    const Values masked{0, -INFINITY, 0};
    build.loops->softmax(masked.data(), p.data(), 3);
    CHECK(p == Values{0.5F, 0, 0.5F});
  }
}

TEST_CASE("a NaN makes the whole row NaN") {
  for (const auto& build : Builds()) {
    for (size_t at : {0U, 1U, 18U}) {
      Values x(19, 1.0F);
      x[at] = NAN;
      Values p(19);
      CHECK(std::isnan(build.loops->softmax(x.data(), p.data(), 19)));
      for (const float value : p) CHECK(std::isnan(value));
    }
  }
}

TEST_CASE("shift and scale works in place") {
  for (const auto& build : Builds()) {
    Values x(21);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    build.loops->shift_and_scale(x.data(), 1, 2, x.data(), 21);
    for (size_t i = 0; i < x.size(); ++i) {
      CHECK(static_cast<double>(x[i]) == 2 * static_cast<double>(i) - 2);
    }
  }
}

TEST_CASE("rows get the softmax and its logarithm that one row gets") {
  base::RandomStream random(2, 1);
  for (const auto& build : Builds()) {
    for (const int64_t n : {1, 7, 16, 33, 64, 100}) {
      INFO(build.isa << " " << n);
      Values x(static_cast<size_t>(3 * n));
      for (float& value : x) value = 5 * random.NextNormal();
      Values one(x.size());
      for (int64_t r = 0; r < 3; ++r) {
        build.loops->softmax(x.data() + r * n, one.data() + r * n, n);
      }
      Values rows(x.size());
      build.loops->rows(x.data(), rows.data(), 3, n);
      CHECK(rows == one);
      Values logs(x.size());
      build.loops->log_rows(x.data(), logs.data(), 3, n);
      for (size_t i = 0; i < x.size(); ++i) {
        REQUIRE(std::exp(static_cast<double>(logs[i])) ==
                Approx(static_cast<double>(one[i])).epsilon(2e-5));
      }
    }
  }
}

TEST_CASE("gradients of softmax and of its logarithm, of rows of every length") {
  base::RandomStream random(3, 1);
  for (const auto& build : Builds()) {
    for (const int64_t n : {1, 7, 16, 33, 64, 100}) {
      Values x(static_cast<size_t>(n));
      Values dy(x.size());
      for (float& value : x) value = random.NextNormal();
      for (float& value : dy) value = random.NextNormal();
      Values p(x.size());
      Values log_p(x.size());
      build.loops->rows(x.data(), p.data(), 1, n);
      build.loops->log_rows(x.data(), log_p.data(), 1, n);
      double weighted = 0;
      double plain = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        weighted += static_cast<double>(dy[i]) * static_cast<double>(p[i]);
        plain += static_cast<double>(dy[i]);
      }
      Values dx(x.size());
      Values log_dx = dy;  // in place
      build.loops->grad_rows(dy.data(), p.data(), dx.data(), 1, n);
      build.loops->log_grad_rows(log_dx.data(), log_p.data(), log_dx.data(), 1, n);
      for (size_t i = 0; i < x.size(); ++i) {
        const auto d = static_cast<double>(dy[i]);
        const auto probability = static_cast<double>(p[i]);
        INFO(build.isa << " " << n << " element " << i);
        REQUIRE(static_cast<double>(dx[i]) == Approx(probability * (d - weighted)).margin(1e-6));
        REQUIRE(static_cast<double>(log_dx[i]) == Approx(d - probability * plain).margin(1e-5));
      }
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
