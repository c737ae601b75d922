// Every function against double, in units in the last place, over all sizes of numbers.
#include "kernels/cpu/function_loops.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

auto Builds() {
  return RunnableBuilds(v1::kFunctionLoops, v3::kFunctionLoops, v4::kFunctionLoops);
}

double Gelu(double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }
double GeluTanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double HardSwish(double x) { return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0); }

// The largest argument below which nothing overflows, and how far from the truth a result may be:
// in units in the last place of the function above 0, where `cancels`, else of itself.
struct FunctionCase {
  const char* name;
  FunctionLoops::Function* FunctionLoops::*loop;
  double (*truth)(double x);
  float least, most;
  bool cancels;
  FunctionNumbers numbers = {};
};

const FunctionCase kFunctions[] = {
    {"abs", &FunctionLoops::abs, [](double x) { return std::abs(x); }, -9, 9, false},
    {"clip", &FunctionLoops::clip, [](double x) { return std::min(std::max(x, -1.0), 2.0); }, -9, 9,
     false, {-1, 2}},
    {"elu", &FunctionLoops::elu, [](double x) { return x > 0 ? x : 0.75 * std::expm1(x); }, -20, 9,
     false, {0.75F, 0}},
    {"erf", &FunctionLoops::erf, [](double x) { return std::erf(x); }, -9, 9, false},
    {"exp", &FunctionLoops::exp, [](double x) { return std::exp(x); }, -87, 88.7F, false},
    {"gelu", &FunctionLoops::gelu, &Gelu, -12, 12, true},
    {"gelu by tanh", &FunctionLoops::gelu_tanh, &GeluTanh, -12, 12, true},
    {"hard_sigmoid", &FunctionLoops::hard_sigmoid,
     [](double x) { return std::min(std::max(0.25 * x + 0.5, 0.0), 1.0); }, -1, 9, false,
     {0.25F, 0.5F}},
    {"hard_swish", &FunctionLoops::hard_swish, &HardSwish, -12, 12, true},
    {"leaky_relu", &FunctionLoops::leaky_relu, [](double x) { return x > 0 ? x : 0.125 * x; }, -9,
     9, false, {0.125F, 0}},
    {"neg", &FunctionLoops::neg, [](double x) { return -x; }, -9, 9, false},
    {"reciprocal", &FunctionLoops::reciprocal, [](double x) { return 1 / x; }, 1e-3F, 9, false},
    {"sigmoid", &FunctionLoops::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -87, 87,
     false},
    {"sqrt", &FunctionLoops::sqrt, [](double x) { return std::sqrt(x); }, 0, 9, false},
    {"tanh", &FunctionLoops::tanh, [](double x) { return std::tanh(x); }, -12, 12, false},
};

// Evenly over the range, and around 0 down to the smallest numbers.
Values Points(float least, float most) {
  constexpr int kCount = 40000;
  Values x;
  for (int i = 0; i <= kCount; ++i) {
    x.push_back(least + (most - least) * static_cast<float>(i) / kCount);
  }
  for (float small = 1; small > 1e-30F; small *= 0.9F) {
    if (small >= least && small <= most) x.push_back(small);
    if (-small >= least) x.push_back(-small);
  }
  return x;
}

// The distance of a float from its neighbour.
double Unit(double at) {
  const auto value = static_cast<float>(std::abs(at));
  return static_cast<double>(std::nextafter(value, kInfinity)) - static_cast<double>(value);
}

TEST_CASE("functions are within 3 units in the last place") {
  for (const auto& build : Builds()) {
    for (const FunctionCase& c : kFunctions) {
      const Values x = Points(c.least, c.most);
      Values y(x.size());
      (build.loops->*c.loop)(x.data(), y.data(), static_cast<int64_t>(x.size()),
                             c.numbers);
      double worst = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const auto at = static_cast<double>(x[i]);
        const double scale = c.truth(c.cancels ? std::abs(at) : at);
        const double error = std::abs(static_cast<double>(y[i]) - c.truth(at));
        worst = std::max(worst, error / Unit(scale));
      }
      INFO(build.isa << " " << c.name);
      CHECK(worst <= 3);
    }
  }
}

TEST_CASE("beyond the range functions end as they should") {
  for (const auto& build : Builds()) {
    INFO(build.isa);
    const FunctionLoops& loops = *build.loops;
    const Values x{-kInfinity, -1e30F, -200, 200, 1e30F, kInfinity};
    Values y(6);
    loops.exp(x.data(), y.data(), 6, {});
    CHECK(y == Values{0, 0, 0, kInfinity, kInfinity, kInfinity});
    loops.tanh(x.data(), y.data(), 6, {});
    CHECK(y == Values{-1, -1, -1, 1, 1, 1});
    loops.erf(x.data(), y.data(), 6, {});
    CHECK(y == Values{-1, -1, -1, 1, 1, 1});
    loops.sigmoid(x.data(), y.data(), 6, {});
    CHECK(y == Values{0, 0, 0, 1, 1, 1});
  }
}

TEST_CASE("a NaN stays, and zeros keep their sign where the function is odd") {
  for (const auto& build : Builds()) {
    INFO(build.isa);
    for (const FunctionCase& c : kFunctions) {
      INFO(c.name);
      const Values x{1, NAN, 0.5F};
      Values y(3);
      (build.loops->*c.loop)(x.data(), y.data(), 3, c.numbers);
      CHECK(std::isnan(y[1]));
      CHECK_FALSE(std::isnan(y[2]));
    }
    const Values x{-0.0F, 0.0F};
    for (const auto loop : {&FunctionLoops::tanh, &FunctionLoops::erf}) {
      Values y(2);
      (build.loops->*loop)(x.data(), y.data(), 2, {});
      CHECK(std::signbit(y[0]));
      CHECK_FALSE(std::signbit(y[1]));
    }
  }
}

struct SlopeCase {
  const char* name;
  FunctionLoops::Slope* FunctionLoops::*loop;
  double (*truth)(double by);
  float least, most;
  bool cancels;
  FunctionNumbers numbers = {};
};

double Density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI); }
double GeluTanhSlope(double x) {
  const double t = std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) +
         0.5 * x * (1 - t * t) * std::sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
}

const SlopeCase kSlopes[] = {
    {"clip", &FunctionLoops::clip_grad, [](double x) { return x < -1 || x > 2 ? 0.0 : 1.0; }, -9, 9,
     false, {-1, 2}},
    {"elu", &FunctionLoops::elu_grad, [](double x) { return x > 0 ? 1 : 0.75 * std::exp(x); }, -20,
     9, false, {0.75F, 0}},
    {"erf", &FunctionLoops::erf_grad,
     [](double x) { return 2 / std::sqrt(M_PI) * std::exp(-x * x); }, -1.5F, 1.5F, false},
    {"gelu", &FunctionLoops::gelu_grad,
     [](double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)) + x * Density(x); }, -9, 9, true},
    {"gelu by tanh", &FunctionLoops::gelu_tanh_grad, &GeluTanhSlope, -9, 9, true},
    {"hard_swish", &FunctionLoops::hard_swish_grad,
     [](double x) { return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5; }, -5, 5, true},
    {"hard_sigmoid", &FunctionLoops::hard_sigmoid_grad,
     [](double y) { return y > 0 && y < 1 ? 0.25 : 0.0; }, -1, 2, false, {0.25F, 0.5F}},
    {"leaky_relu", &FunctionLoops::leaky_relu_grad,
     [](double x) { return x > 0 ? 1 : 0.125; }, -9, 9, false, {0.125F, 0}},
    {"reciprocal", &FunctionLoops::reciprocal_grad, [](double y) { return -y * y; }, -9, 9, false},
    {"sigmoid", &FunctionLoops::sigmoid_grad, [](double y) { return y * (1 - y); }, 0, 1, false},
    {"sqrt", &FunctionLoops::sqrt_grad, [](double y) { return 0.5 / y; }, 0.01F, 9, false},
    {"tanh", &FunctionLoops::tanh_grad, [](double y) { return 1 - y * y; }, -1, 1, false},
};

TEST_CASE("gradients are within 5 units in the last place") {
  for (const auto& build : Builds()) {
    for (const SlopeCase& c : kSlopes) {
      const Values by = Points(c.least, c.most);
      const Values dy(by.size(), 3);
      Values dx(by.size());
      (build.loops->*c.loop)(dy.data(), by.data(), dx.data(), static_cast<int64_t>(by.size()),
                             c.numbers);
      double worst = 0;
      for (size_t i = 0; i < by.size(); ++i) {
        const auto at = static_cast<double>(by[i]);
        const double scale = 3 * c.truth(c.cancels ? std::abs(at) : at);
        const double error = std::abs(static_cast<double>(dx[i]) - 3 * c.truth(at));
        if (std::abs(scale) > 1e-37) worst = std::max(worst, error / Unit(scale));
      }
      INFO(build.isa << " " << c.name);
      CHECK(worst <= 5);
    }
  }
}

TEST_CASE("a range gives the same bits however it is cut, and in place") {
  constexpr int64_t kCount = 203;
  base::RandomStream random(1, 2);
  Values x(kCount);
  for (float& value : x) value = random.NextNormal();
  for (const auto& build : Builds()) {
    for (const FunctionCase& c : kFunctions) {
      INFO(build.isa << " " << c.name);
      Values whole(x.size());
      (build.loops->*c.loop)(x.data(), whole.data(), kCount, c.numbers);
      Values parts = x;
      int64_t begin = 0;
      for (int64_t part = 0; begin < kCount; part += 3) {
        const int64_t n = std::min(part, kCount - begin);
        (build.loops->*c.loop)(parts.data() + begin, parts.data() + begin, n, c.numbers);
        begin += n;
      }
      CHECK(std::memcmp(parts.data(), whole.data(), parts.size() * sizeof(float)) == 0);
    }
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
