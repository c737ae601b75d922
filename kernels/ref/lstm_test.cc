#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

std::vector<Values> Run(const OpInstance& instance, const std::vector<Values>& inputs) {
  const auto result = Compute(Table(), instance, inputs);
  INFO(result.status());
  REQUIRE(result.ok());
  return *result;
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

const Operand kState = Floats({1, 1, 1});

// Two steps of one sequence of one number, one hidden unit.
OpInstance Lstm(const std::string& direction) {
  return {"LSTM",
          {{"direction", direction}},
          {Floats({2, 1, 1}), Floats({1, 4, 1}), Floats({1, 4, 1}), Floats({1, 8}), kState,
           kState},
          {Floats({2, 1, 1, 1}), kState, kState}};
}

// Gates by x alone (W), the forget gate by h alone (R).
const std::vector<Values> kWeights{{1, 2, 0, 0.5F}, {0, 0, 3, 0}, {0, 0, 0, 0, 0.1F, 0, 0, 0}};

std::vector<Values> Inputs(const Values& x, float h, float c) {
  return {x, kWeights[0], kWeights[1], kWeights[2], {h}, {c}};
}

// One step by hand.
void Step(double x, double* h, double* c) {
  const double forget = Sigmoid(3 * *h);
  *c = forget * *c + Sigmoid(x + 0.1) * std::tanh(0.5 * x);
  *h = Sigmoid(2 * x) * std::tanh(*c);
}

TEST_CASE("an LSTM walks its steps in order, from the given states") {
  const auto result = Run(Lstm("forward"), Inputs({1, -2}, 0.3F, 0.7F));
  double h = static_cast<double>(0.3F);
  double c = static_cast<double>(0.7F);
  Step(1, &h, &c);
  CHECK(static_cast<double>(result[0][0]) == Approx(h));
  Step(-2, &h, &c);
  CHECK(static_cast<double>(result[0][1]) == Approx(h));
  CHECK(static_cast<double>(result[1][0]) == Approx(h));
  CHECK(static_cast<double>(result[2][0]) == Approx(c));
}

TEST_CASE("backwards it begins at the last step") {
  const auto result = Run(Lstm("reverse"), Inputs({1, -2}, 0, 0));
  const auto mirrored = Run(Lstm("forward"), Inputs({-2, 1}, 0, 0));
  CHECK(result[0] == Values{mirrored[0][1], mirrored[0][0]});
  CHECK(result[1] == mirrored[1]);
}

TEST_CASE("the gradient of one step is the chain rule") {
  // i = 0.5, o = 0.25, f = 0.75, g = 0.2; c = 0.3, and the cell before is 0.4.
  const OpInstance op{"LSTMGrad",
                      {},
                      {Floats({1, 1, 1}), Floats({1, 4, 1}), Floats({1, 4, 1}),
                       Floats({1, 1, 1, 4}), Floats({1, 1, 1, 1}), Floats({1, 1, 1, 1}),
                       testing::Absent(), testing::Absent(), kState, kState},
                      {Floats({1, 1, 1}), Floats({1, 4, 1}), Floats({1, 4, 1}), Floats({1, 8}),
                       kState, kState}};
  const auto result = Run(op, {{2},
                               {1, 10, 100, 1000},
                               {0, 0, 0, 1},
                               {0.5F, 0.25F, 0.75F, 0.2F},
                               {0.3F},
                               {1},
                               {},
                               {},
                               {0.6F},
                               {0.4F}});
  const double squashed = std::tanh(0.3);
  const double dc = 0.25 * (1 - squashed * squashed);
  const double gates[] = {dc * 0.2 * 0.25, squashed * 0.25 * 0.75, dc * 0.4 * 0.75 * 0.25,
                          dc * 0.5 * (1 - 0.04)};
  double dx = 0;
  const double w[] = {1, 10, 100, 1000};
  for (size_t j = 0; j < 4; ++j) {
    dx += gates[j] * w[j];
    CHECK(static_cast<double>(result[1][j]) == Approx(2 * gates[j]));
    CHECK(static_cast<double>(result[2][j]) == Approx(static_cast<double>(0.6F) * gates[j]));
    CHECK(static_cast<double>(result[3][j]) == Approx(gates[j]));
    CHECK(result[3][4 + j] == result[3][j]);
  }
  CHECK(static_cast<double>(result[0][0]) == Approx(dx));
  CHECK(static_cast<double>(result[4][0]) == Approx(gates[3]));
  CHECK(static_cast<double>(result[5][0]) == Approx(dc * 0.75));
}

}  // namespace
}  // namespace rm::kernels::ref
