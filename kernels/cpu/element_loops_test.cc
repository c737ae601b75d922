#include "kernels/cpu/element_loops.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

// From nothing, through one element, to some vectors and a tail, for every vector width.
constexpr int64_t kSizes[] = {0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, 1000};

std::vector<Build<ElementLoops>> Builds() {
  return RunnableBuilds(v1::kElementLoops, v3::kElementLoops, v4::kElementLoops);
}

Values Random(int64_t n, uint64_t stream) {
  base::RandomStream random(1, stream);
  Values values(static_cast<size_t>(n));
  for (float& value : values) value = random.NextNormal();
  return values;
}

// Calls body(loops, n) for each build and size.
void ForAll(const std::function<void(const ElementLoops&, int64_t)>& body) {
  for (const auto& build : Builds()) {
    for (const int64_t n : kSizes) {
      INFO(build.isa << ", " << n << " elements");
      body(*build.loops, n);
    }
  }
}

bool SameBits(const Values& a, const Values& b) {
  // memcmp may not be given the null pointer of an empty vector.
  if (a.empty() || b.empty()) return a.size() == b.size();
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST_CASE("relu keeps what is not negative, in place too") {
  ForAll([](const ElementLoops& loops, int64_t n) {
    Values x = Random(n, 1);
    Values y(x.size());
    loops.relu(x.data(), y.data(), n);
    for (size_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == (x[i] < 0 ? 0 : x[i]));
    loops.relu(x.data(), x.data(), n);
    REQUIRE(SameBits(x, y));
  });
}

TEST_CASE("relu passes a NaN on, wherever it stands") {
  for (const auto& build : Builds()) {
    for (size_t i = 0; i < 35; ++i) {
      Values x(35, -1.0F);
      x[i] = NAN;
      build.loops->relu(x.data(), x.data(), 35);
      INFO(build.isa << " at " << i);
      REQUIRE(std::isnan(x[i]));
      REQUIRE(x[(i + 1) % 35] == 0);
    }
  }
}

TEST_CASE("relu_grad passes the gradient where the output is positive") {
  ForAll([](const ElementLoops& loops, int64_t n) {
    Values dy = Random(n, 1);
    Values y = Random(n, 2);
    for (size_t i = 0; i < y.size(); i += 3) y[i] = 0;
    Values dx(dy.size());
    loops.relu_grad(dy.data(), y.data(), dx.data(), n);
    for (size_t i = 0; i < dx.size(); ++i) REQUIRE(dx[i] == (y[i] > 0 ? dy[i] : 0));
    loops.relu_grad(dy.data(), y.data(), dy.data(), n);
    REQUIRE(SameBits(dy, dx));
  });
}

TEST_CASE("sums are those of float32") {
  ForAll([](const ElementLoops& loops, int64_t n) {
    const Values a = Random(n, 1);
    const Values b = Random(n, 2);
    Values y(a.size());
    loops.add(a.data(), b.data(), y.data(), n);
    for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == a[i] + b[i]);
    loops.add_number(a.data(), 0.3F, y.data(), n);
    for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == a[i] + 0.3F);
  });
}

TEST_CASE("sgd follows the rule, with and without Nesterov's step") {
  for (const bool nesterov : {false, true}) {
    const SgdRule rule{0.1F, 0.9F, 0.01F, nesterov, 0.5F};
    ForAll([&rule](const ElementLoops& loops, int64_t n) {
      const Values w = Random(n, 1);
      const Values g = Random(n, 2);
      const Values m = Random(n, 3);
      Values new_w(w.size());
      Values new_m(w.size());
      loops.sgd(w.data(), g.data(), m.data(), new_w.data(), new_m.data(), n, rule);
      for (size_t i = 0; i < w.size(); ++i) {
        const double gradient = 0.5 * static_cast<double>(g[i]) + 0.01 * static_cast<double>(w[i]);
        const double velocity = 0.9 * static_cast<double>(m[i]) + gradient;
        const double step = rule.nesterov ? gradient + 0.9 * velocity : velocity;
        REQUIRE(static_cast<double>(new_m[i]) == Approx(velocity).margin(1e-6));
        REQUIRE(static_cast<double>(new_w[i]) ==
                Approx(static_cast<double>(w[i]) - 0.1 * step).margin(1e-6));
      }
    });
  }
}

TEST_CASE("sgd gives the same bits however its range is cut, and in place") {
  constexpr int64_t kCount = 1003;
  const SgdRule rule{0.1F, 0.9F, 0.01F, true, 1.0F};
  for (const auto& build : Builds()) {
    const Values g = Random(kCount, 2);
    Values w = Random(kCount, 1);
    Values m = Random(kCount, 3);
    Values whole_w(w.size());
    Values whole_m(w.size());
    build.loops->sgd(w.data(), g.data(), m.data(), whole_w.data(), whole_m.data(), kCount, rule);
    int64_t begin = 0;
    for (int64_t part = 1; begin < kCount; part += 7) {
      const int64_t n = std::min(part, kCount - begin);
      build.loops->sgd(w.data() + begin, g.data() + begin, m.data() + begin, w.data() + begin,
                       m.data() + begin, n, rule);
      begin += n;
    }
    INFO(build.isa);
    CHECK(SameBits(w, whole_w));
    CHECK(SameBits(m, whole_m));
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
