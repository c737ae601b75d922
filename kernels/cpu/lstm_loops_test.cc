#include "kernels/cpu/lstm_loops.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

auto Builds() { return RunnableBuilds(v1::kLstmLoops, v3::kLstmLoops, v4::kLstmLoops); }

Values Draw(size_t n, uint64_t seed) {
  base::RandomStream random(seed, 11);
  Values values(n);
  for (float& value : values) value = 2 * random.NextNormal();
  return values;
}

double At(const Values& values, size_t i) { return static_cast<double>(values[i]); }
double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

constexpr size_t kSizes[] = {1, 3, 4, 8, 15, 16, 17, 31, 64, 100};

TEST_CASE("a step is the textbook's, for every number of units") {
  for (const auto& build : Builds()) {
    for (const size_t n : kSizes) {
      const Values sums = Draw(4 * n, 1);
      const Values before = Draw(n, 2);
      Values gates = sums, cell = before, hidden(n + 1, -7);
      build.loops->step({gates.data(), cell.data(), hidden.data()}, static_cast<int64_t>(n));
      CHECK(hidden[n] == -7);  // nothing is written behind the last unit
      for (size_t i = 0; i < n; ++i) {
        INFO(build.isa << ", unit " << i << " of " << n);
        const double in = Sigmoid(At(sums, i)), out = Sigmoid(At(sums, n + i));
        const double forget = Sigmoid(At(sums, 2 * n + i)), g = std::tanh(At(sums, 3 * n + i));
        const double c = forget * At(before, i) + in * g;
        CHECK(At(gates, i) == Approx(in));
        CHECK(At(gates, n + i) == Approx(out));
        CHECK(At(gates, 2 * n + i) == Approx(forget));
        CHECK(At(gates, 3 * n + i) == Approx(g));
        CHECK(At(cell, i) == Approx(c).margin(1e-6));
        CHECK(At(hidden, i) == Approx(out * std::tanh(c)).margin(1e-6));
        Values again(n);
        build.loops->hidden(gates.data(), cell.data(), again.data(), static_cast<int64_t>(n));
        CHECK(again[i] == hidden[i]);
      }
    }
  }
}

// A loss that looks at h and at c of one step, as a function of what the gates are computed of and
// of the cell before.
double Loss(const Values& sums, const Values& before, const Values& dh, const Values& dc,
            size_t n) {
  double loss = 0;
  for (size_t i = 0; i < n; ++i) {
    const double c = Sigmoid(At(sums, 2 * n + i)) * At(before, i) +
                     Sigmoid(At(sums, i)) * std::tanh(At(sums, 3 * n + i));
    loss += At(dh, i) * Sigmoid(At(sums, n + i)) * std::tanh(c) + At(dc, i) * c;
  }
  return loss;
}

TEST_CASE("a step back is what finite differences say") {
  for (const auto& build : Builds()) {
    for (const size_t n : {size_t{1}, size_t{5}, size_t{16}, size_t{19}}) {
      const Values sums = Draw(4 * n, 3), before = Draw(n, 4);
      const Values from_output = Draw(n, 5), from_after = Draw(n, 6), dc = Draw(n, 7);
      Values gates = sums, cell = before, hidden(n);
      build.loops->step({gates.data(), cell.data(), hidden.data()}, static_cast<int64_t>(n));
      Values d_cell = dc, d_gates(4 * n);
      build.loops->step_grad({gates.data(), cell.data(), before.data(), from_output.data(),
                              from_after.data(), d_cell.data(), d_gates.data()},
                             static_cast<int64_t>(n));
      Values dh(n);
      for (size_t i = 0; i < n; ++i) dh[i] = from_output[i] + from_after[i];
      const auto slope = [&](Values a, Values b, Values& moved, size_t i) {
        constexpr float kStep = 1.0F / 64;
        Values* const which = &moved == &d_gates ? &a : &b;
        const float middle = (*which)[i];
        (*which)[i] = middle + kStep;
        const double above = Loss(a, b, dh, dc, n);
        (*which)[i] = middle - kStep;
        return (above - Loss(a, b, dh, dc, n)) / (2 * static_cast<double>(kStep));
      };
      for (size_t i = 0; i < 4 * n; ++i) {
        INFO(build.isa << ", gate " << i << " of " << n);
        CHECK(At(d_gates, i) == Approx(slope(sums, before, d_gates, i)).margin(2e-3));
      }
      for (size_t i = 0; i < n; ++i) {
        CHECK(At(d_cell, i) == Approx(slope(sums, before, d_cell, i)).margin(2e-3));
      }
    }
  }
}

TEST_CASE("what is absent is zero") {
  for (const auto& build : Builds()) {
    const Values gates = {0.5F, 0.25F, 0.75F, 0.2F}, cell = {0.3F}, zero = {0};
    Values d_cell = {1}, d_gates(4), d_cell_given = {1}, d_gates_given(4);
    build.loops->step_grad({gates.data(), cell.data(), nullptr, nullptr, cell.data(),
                            d_cell.data(), d_gates.data()},
                           1);
    build.loops->step_grad({gates.data(), cell.data(), zero.data(), zero.data(), cell.data(),
                            d_cell_given.data(), d_gates_given.data()},
                           1);
    CHECK(d_gates == d_gates_given);
    CHECK(d_cell == d_cell_given);
    CHECK(d_gates[2] == 0);
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
