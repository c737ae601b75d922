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

const Operand kRow = Floats({2});
const Operand kImage = Floats({2, 2});
const Operand kNumbers = Floats({2, 1});

TEST_CASE("each row is shifted and scaled to mean 0 and variance 1, then by scale and bias") {
  // Rows (1, 3): mean 2, variance 1; (0, 6): mean 3, variance 9.
  const Attributes attributes{{"axis", int64_t{-1}}, {"epsilon", 0.0F}};
  const auto result = Run({"LayerNormalization",
                           attributes,
                           {kImage, kRow, kRow},
                           {kImage, kNumbers, kNumbers}},
                          {{1, 3, 0, 6}, {10, 100}, {1, 2}});
  CheckClose(result[0], {-9, 102, -9, 102});
  CheckClose(result[1], {2, 3});
  CheckClose(result[2], {1, 1.0F / 3});
}

TEST_CASE("epsilon is added to the variance; bias and statistics may be absent") {
  const OpInstance op{
      "LayerNormalization", {{"axis", int64_t{1}}, {"epsilon", 3.0F}}, {kImage, kRow}, {kImage}};
  CheckClose(Run(op, {{1, 3, 5, 5}, {1, 1}})[0], {-0.5F, 0.5F, 0, 0});
}

TEST_CASE("a row may be several dimensions") {
  const Attributes attributes{{"axis", int64_t{1}}, {"epsilon", 0.0F}};
  const Operand x = Floats({1, 2, 2});
  const OpInstance op{"LayerNormalization", attributes, {x, kImage}, {x}};
  // Mean 2, variance 4.
  CheckClose(Run(op, {{0, 0, 4, 4}, {1, 2, 3, 4}})[0], {-1, -2, 3, 4});
}

TEST_CASE("gradients of scale and bias are sums over rows, that of X has no mean") {
  const OpInstance op{"LayerNormGrad",
                      {{"axis", int64_t{-1}}},
                      {kImage, kImage, kRow, kNumbers, kNumbers},
                      {kImage, kRow, kRow}};
  const auto result =
      Run(op, {{4, 8, 1, 1}, {1, 3, 0, 6}, {2, 0.5F}, {2, 3}, {1, 1.0F / 3}});
  // Row 1: N = (−1, 1), G = (8, 4), mean 6, mean of G·N −2: dX = (8, 4) − 6 + 2·(−1, 1) = 0.
  // Row 2: N = (−1, 1), G = (2, 0.5): as two numbers of one variance cannot move it, dX = 0 too.
  CheckClose(result[0], {0, 0, 0, 0});
  CheckClose(result[1], {-5, 9});
  CheckClose(result[2], {5, 9});
}

TEST_CASE("the gradient of X takes its row's mean and slope away") {
  const Operand x = Floats({1, 4});
  const Operand row = Floats({4});
  const Operand number = Floats({1, 1});
  const OpInstance op{"LayerNormGrad", {}, {x, x, row, number, number}, {x}};
  // N = (−1, −1, 1, 1), G = (1, 0, 0, 0): mean 1/4, mean of G·N −1/4.
  CheckClose(Run(op, {{1, 0, 0, 0}, {0, 0, 4, 4}, {1, 1, 1, 1}, {2}, {0.5F}})[0],
             {0.25F, -0.25F, 0, 0});
}

}  // namespace
}  // namespace rm::kernels::ref
