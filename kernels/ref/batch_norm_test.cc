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

void CheckClose(const Values& got, const Values& want) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    CHECK(static_cast<double>(got[i]) ==
          Approx(static_cast<double>(want[i])).epsilon(1e-5).margin(1e-6));
  }
}

const Attributes kExact{{"epsilon", 0.0F}};
const Attributes kExactRelu{{"epsilon", 0.0F}, {"activation", std::string("relu")}};

// Two images of two channels of two pixels. Channel 0: 1, 3, 1, 3; channel 1: 0, 0, 6, 6.
const Operand kX = Floats({2, 2, 1, 2});
const Operand kC = Floats({2});
const Values kValues{1, 3, 0, 0, 1, 3, 6, 6};

TEST_CASE("given statistics are applied channel by channel") {
  const OpInstance op{"BatchNormalization", kExact, {kX, kC, kC, kC, kC}, {kX}};
  CheckClose(Run(op, {kValues, {2, 1}, {0, 10}, {1, 3}, {4, 9}})[0],
             {0, 2, 9, 9, 0, 2, 11, 11});
  const OpInstance relu{"BatchNormalization", kExactRelu, {kX, kC, kC, kC, kC}, {kX}};
  CheckClose(Run(relu, {kValues, {2, 1}, {-1, 0}, {1, 3}, {4, 9}})[0],
             {0, 1, 0, 0, 0, 1, 1, 1});
}

TEST_CASE("training takes the batch's own statistics, and reports them") {
  const OpInstance op{"BatchNormTraining", kExact, {kX, kC, kC}, {kX, kC, kC, kC}};
  const auto result = Run(op, {kValues, {1, 2}, {0, 10}});
  CheckClose(result[0], {-1, 1, 8, 8, -1, 1, 12, 12});
  CheckClose(result[1], {2, 3});
  CheckClose(result[2], {4.0F / 3, 12});  // unbiased
  CheckClose(result[3], {1, 1.0F / 3});   // of the biased ones, 1 and 9
}

TEST_CASE("a residual is added before the relu") {
  const OpInstance op{"BatchNormTraining", kExactRelu, {kX, kC, kC, kX}, {kX}};
  CheckClose(Run(op, {kValues, {1, 1}, {0, 0}, {0, 0, 5, -5, 2, -2, 1, -1}})[0],
             {0, 1, 4, 0, 1, 0, 2, 0});
}

TEST_CASE("a channel of one value has a variance of nothing") {
  const Operand x = Floats({1, 2});
  const OpInstance op{"BatchNormTraining", {{"epsilon", 0.25F}}, {x, kC, kC}, {x, kC, kC, kC}};
  const auto result = Run(op, {{5, 7}, {1, 1}, {1, 2}});
  CheckClose(result[0], {1, 2});
  CheckClose(result[2], {0, 0});
  CheckClose(result[3], {2, 2});
}

TEST_CASE("the gradient takes away what the statistics absorb") {
  const OpInstance op{"BatchNormGrad", {}, {kX, kX, kC, kC, kC}, {kX, kC, kC}};
  // Channel 0: N = −1, 1, −1, 1; dY = 4, 0, 0, 0: dB 4, dscale −4, dX = dY − 1 + N.
  const Values dy{4, 0, 1, 1, 0, 0, 1, 1};
  const auto result = Run(op, {dy, kValues, {2, 3}, {2, 3}, {1, 1.0F / 3}});
  CheckClose(result[0], {4, 0, 0, 0, -4, 0, 0, 0});
  CheckClose(result[1], {-4, 0});
  CheckClose(result[2], {4, 4});
}

TEST_CASE("behind a relu only the gradients of what it let pass count") {
  const OpInstance op{"BatchNormGrad", kExactRelu, {kX, kX, kC, kC, kC, kX}, {kX, kC, kC}};
  const Values dy{4, 9, 1, 1, 9, 9, 1, 1};
  const Values y{1, 0, 1, 1, 0, 0, 1, 1};
  const auto result = Run(op, {dy, kValues, {2, 3}, {2, 3}, {1, 1.0F / 3}, y});
  CheckClose(result[0], {4, 0, 0, 0, -4, 0, 0, 0});
  CheckClose(result[2], {4, 4});
}

}  // namespace
}  // namespace rm::kernels::ref
