#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using testing::RunEntry;
using testing::Tensor;
using Values = std::vector<float>;

OpInstance Adam(int64_t count) {
  const Operand x = Floats({count});
  return {"AdamUpdate", {}, {x, x, x, x, Floats({10})}, {x, x, x}};
}

// w, m and v after one update of one element.
Values Update(float w, float g, float m, float v, const Values& hyper) {
  const auto result = Compute(Table(), Adam(1), {{w}, {g}, {m}, {v}, hyper});
  INFO(result.status());
  REQUIRE(result.ok());
  return {result->at(0)[0], result->at(1)[0], result->at(2)[0]};
}

TEST_CASE("the update is Adam's, term by term") {
  // Numbers that are exact in binary: betas of a half, correction 1, no epsilon.
  CHECK(Update(1, 2, 0, 4, {1, 0.5F, 0.5F, 0.5F, 0.5F, 0, 0, 1, 1, 1}) == Values{0.5F, 1, 4});
  // Twice the rate, on top of what is kept of w.
  CHECK(Update(1, 2, 0, 4, {2, 0.5F, 0.5F, 0.5F, 0.5F, 0, 0, 0.5F, 1, 1}) == Values{-0.5F, 1, 4});
  // √4 / 0.5 + 4 = 8.
  CHECK(Update(1, 2, 0, 4, {8, 0.5F, 0.5F, 0.5F, 0.5F, 4, 0, 1, 0.5F, 1}) == Values{0, 1, 4});
  // Half of a gradient of 4; and decay 1 · w 1 + gradient 1.
  CHECK(Update(1, 4, 0, 4, {1, 0.5F, 0.5F, 0.5F, 0.5F, 0, 0, 1, 1, 0.5F}) == Values{0.5F, 1, 4});
  CHECK(Update(1, 1, 0, 4, {1, 0.5F, 0.5F, 0.5F, 0.5F, 0, 1, 1, 1, 1}) == Values{0.5F, 1, 4});
}

TEST_CASE("a few steps of AdamW are what its formula says in double") {
  constexpr double kRate = 1e-3, kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8, kDecay = 0.01;
  double w = 0.5, m = 0, v = 0;
  Values now = {0.5F, 0, 0};
  for (int step = 1; step <= 20; ++step) {
    const double g = 0.1 * std::sin(step);
    w *= 1 - kRate * kDecay;
    m = kBeta1 * m + (1 - kBeta1) * g;
    v = kBeta2 * v + (1 - kBeta2) * g * g;
    const double first = 1 - std::pow(kBeta1, step), second = 1 - std::pow(kBeta2, step);
    w -= kRate * (m / first) / (std::sqrt(v) / std::sqrt(second) + kEpsilon);
    const auto f = [](double x) { return static_cast<float>(x); };
    now = Update(now[0], f(g), now[1], now[2],
                 {f(kRate / first), f(kBeta1), f(1 - kBeta1), f(kBeta2), f(1 - kBeta2),
                  f(kEpsilon), 0, f(1 - kRate * kDecay), f(std::sqrt(second)), 1});
    CHECK(static_cast<double>(now[0]) == Approx(w).epsilon(1e-6));
    CHECK(static_cast<double>(now[2]) == Approx(v).epsilon(1e-5));
  }
}

TEST_CASE("the update works in place, and zeros stay zeros") {
  const OpInstance op = Adam(3);
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  REQUIRE(entry->in_place_input == 0);
  Tensor w(op.inputs[0].type, {1, 0, 3});
  Tensor g(op.inputs[1].type, {2, 0, 2});
  Tensor m(op.inputs[2].type, {0, 0, 0});
  Tensor v(op.inputs[3].type, {4, 0, 4});
  Tensor hyper(op.inputs[4].type, {1, 0.5F, 0.5F, 0.5F, 0.5F, 1e-8F, 0, 1, 1, 1});
  REQUIRE(RunEntry(*entry, op, {&w, &g, &m, &v, &hyper}, {&w, &m, &v}).ok());
  CHECK(w.values() == Values{0.5F, 0, 2.5F});  // padding of a bucket is such a zero
  CHECK(m.values() == Values{1, 0, 1});
  CHECK(v.values() == Values{4, 0, 4});
}

}  // namespace
}  // namespace rm::kernels::ref
