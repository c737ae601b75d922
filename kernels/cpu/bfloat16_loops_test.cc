#include "kernels/cpu/bfloat16_loops.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Halves = std::vector<Bfloat16>;
using Values = std::vector<float>;

// From nothing, through one element, to some vectors and a tail, for every vector width.
constexpr int64_t kSizes[] = {0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, 1000};

// Normal numbers with some that are special: ties, both zeros, infinities, NaN.
Values Random(int64_t n, uint64_t stream) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float specials[] = {0.0F, -0.0F, 1.00390625F, 1.01171875F, kInfinity, -kInfinity,
                            std::nanf(""), std::numeric_limits<float>::max()};
  base::RandomStream random(1, stream);
  Values values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = i % 5 == 4 ? specials[i / 5 % 8] : random.NextNormal();
  }
  return values;
}

Halves Rounded(const Values& values) {
  Halves halves;
  for (const float value : values) halves.push_back(ToBfloat16(value));
  return halves;
}

// Calls body(loops, n) for each build and size.
void ForAll(const std::function<void(const Bfloat16Loops&, int64_t)>& body) {
  for (const auto& build :
       RunnableBuilds(v1::kBfloat16Loops, v3::kBfloat16Loops, v4::kBfloat16Loops)) {
    for (const int64_t n : kSizes) {
      INFO(build.isa << ", " << n << " elements");
      body(*build.loops, n);
    }
  }
}

// Equal, or both no number.
bool Same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

TEST_CASE("conversions have the bits of the definition") {
  ForAll([](const Bfloat16Loops& loops, int64_t n) {
    const Values x = Random(n, 1);
    Halves narrow(x.size());
    loops.narrow(x.data(), narrow.data(), n);
    Values wide(x.size());
    loops.widen(narrow.data(), wide.data(), n);
    for (size_t i = 0; i < x.size(); ++i) {
      REQUIRE(narrow[i].bits == ToBfloat16(x[i]).bits);
      REQUIRE(Same(wide[i], ToFloat(narrow[i])));
    }
  });
}

TEST_CASE("relu and its gradient select, in place too") {
  ForAll([](const Bfloat16Loops& loops, int64_t n) {
    const Halves x = Rounded(Random(n, 2));
    Halves y(x.size());
    loops.relu(x.data(), y.data(), n);
    Halves dx = Rounded(Random(n, 3));
    const Halves dy = dx;
    loops.relu_grad(dx.data(), y.data(), dx.data(), n);
    for (size_t i = 0; i < x.size(); ++i) {
      const float value = ToFloat(x[i]);
      REQUIRE(Same(ToFloat(y[i]), value < 0 ? 0 : value));
      REQUIRE(Same(ToFloat(dx[i]), ToFloat(y[i]) > 0 ? ToFloat(dy[i]) : 0));
    }
  });
}

TEST_CASE("a sum is that of float32, rounded once") {
  ForAll([](const Bfloat16Loops& loops, int64_t n) {
    const Halves a = Rounded(Random(n, 4));
    const Halves b = Rounded(Random(n, 5));
    Halves y(a.size());
    loops.add(a.data(), b.data(), y.data(), n);
    for (size_t i = 0; i < a.size(); ++i) {
      REQUIRE(Same(ToFloat(y[i]), ToFloat(ToBfloat16(ToFloat(a[i]) + ToFloat(b[i])))));
    }
  });
}

}  // namespace
}  // namespace rm::kernels::cpu
