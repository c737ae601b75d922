#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

float Loss(const char* op, const Shape& shape, const Values& y, const Values& targets,
           const Values& weights) {
  const Operand x = Floats(shape);
  const auto result =
      Compute(Table(), {op, {}, {x, x, Floats({shape[0]})}, {Floats({1})}}, {y, targets, weights});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0)[0];
}

Values Gradient(const char* op, const Shape& shape, const Values& y, const Values& targets,
                const Values& weights, float scale) {
  const Operand x = Floats(shape);
  const auto result =
      Compute(Table(), {op, {}, {x, x, Floats({shape[0]}), Floats({1})}, {x}},
              {y, targets, weights, {scale}});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("the squared error of a sample is the mean over its elements, weighted and summed") {
  CHECK(Loss("MeanSquaredError", {2, 2}, {1, 2, 3, 4}, {0, 0, 3, 2}, {1, 1}) == 2.5F + 2.0F);
  CHECK(Loss("MeanSquaredError", {2, 2}, {1, 2, 3, 4}, {0, 0, 3, 2}, {2, 0.5F}) == 5.0F + 1.0F);
  CHECK(Loss("MeanSquaredError", {3}, {1, 2, 3}, {0, 0, 0}, {1, 1, 1}) == 14);
  CHECK(Gradient("MeanSquaredErrorGrad", {2, 2}, {1, 2, 3, 4}, {0, 0, 3, 2}, {1, 2}, 0.5F) ==
        Values{0.5F, 1, 0, 2});
}

TEST_CASE("the entropy of a sigmoid does not overflow, and is right where it is known") {
  const auto loss = [](float x, float target) {
    return static_cast<double>(Loss("SigmoidCrossEntropy", {1}, {x}, {target}, {1}));
  };
  CHECK(loss(0, 0) == Approx(std::log(2.0)));
  CHECK(loss(0, 1) == Approx(std::log(2.0)));
  CHECK(loss(2, 1) == Approx(-std::log(1 / (1 + std::exp(-2.0)))));
  CHECK(loss(2, 0.25F) == Approx(0.25 * std::log1p(std::exp(-2.0)) +
                                 0.75 * (2 + std::log1p(std::exp(-2.0)))));
  CHECK(loss(1000, 1) == 0);
  CHECK(loss(1000, 0) == 1000);
  CHECK(loss(-1000, 1) == 1000);
  const Values gradient =
      Gradient("SigmoidCrossEntropyGrad", {4}, {0, 1000, -1000, 2}, {1, 0, 1, 0.5F},
               {1, 1, 1, 1}, 2);
  CHECK(gradient[0] == -1);
  CHECK(gradient[1] == 2);
  CHECK(gradient[2] == -2);
  CHECK(static_cast<double>(gradient[3]) == Approx(2 * (1 / (1 + std::exp(-2.0)) - 0.5)));
}

TEST_CASE("a row of weight 0 adds nothing, even when it holds no numbers") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::string op : {"MeanSquaredError", "SigmoidCrossEntropy"}) {
    const float alone = Loss(op.c_str(), {1, 2}, {1, 2}, {0.5F, 0}, {1});
    CHECK(Loss(op.c_str(), {2, 2}, {1, 2, nan, nan}, {0.5F, 0, nan, 1}, {1, 0}) == alone);
    const Values gradient =
        Gradient((op + "Grad").c_str(), {2, 2}, {1, 2, nan, 1}, {0.5F, 0, 0, nan}, {1, 0}, 1);
    CHECK(gradient[0] != 0);
    CHECK(gradient[2] == 0);
    CHECK(gradient[3] == 0);
  }
}

}  // namespace
}  // namespace rm::kernels::ref
