#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

Values Run(const std::string& op, const Shape& shape, const std::vector<Values>& inputs,
           int64_t axis) {
  const OpInstance instance{op,
                            {{"axis", axis}},
                            std::vector<Operand>(inputs.size(), Floats(shape)),
                            {Floats(shape)}};
  const auto result = Compute(Table(), instance, inputs);
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

void CheckClose(const Values& got, const Values& want) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i);
    CHECK(static_cast<double>(got[i]) == Approx(static_cast<double>(want[i])).epsilon(1e-6));
  }
}

const float kLog2 = std::log(2.0F);
const float kLog3 = std::log(3.0F);

TEST_CASE("softmax is taken along its axis") {
  // Rows (1, 3)/4 and (2, 2)/4; columns (1, 2)/3 and (3, 2)/5.
  const Values x{0, kLog3, kLog2, kLog2};
  CheckClose(Run("Softmax", {2, 2}, {x}, 1), {0.25F, 0.75F, 0.5F, 0.5F});
  CheckClose(Run("Softmax", {2, 2}, {x}, -1), {0.25F, 0.75F, 0.5F, 0.5F});
  CheckClose(Run("Softmax", {2, 2}, {x}, 0), {1.0F / 3, 0.6F, 2.0F / 3, 0.4F});
}

TEST_CASE("neither huge numbers nor masks disturb softmax") {
  CheckClose(Run("Softmax", {3}, {{1e30F, 1e30F, -1e30F}}, 0), {0.5F, 0.5F, 0});
  CheckClose(Run("Softmax", {3}, {{-INFINITY, 7, 7}}, 0), {0, 0.5F, 0.5F});
  for (const float value : Run("Softmax", {2}, {{-INFINITY, -INFINITY}}, 0)) {
    CHECK(std::isnan(value));
  }
}

TEST_CASE("the logarithm of softmax does not lose what exp would round away") {
  CheckClose(Run("LogSoftmax", {2, 2}, {{0, 200, 5, 5}}, 1), {-200, 0, -kLog2, -kLog2});
}

TEST_CASE("gradients of softmax sum up to nothing") {
  // p = (1, 3)/4, Σ dY·p = 4·1/4 + 8·3/4 = 7.
  CheckClose(Run("SoftmaxGrad", {1, 2}, {{4, 8}, {0.25F, 0.75F}}, 1), {-0.75F, 0.75F});
  // dY − p · Σ dY = (4, 8) − 12 · (1, 3)/4.
  const Values log_p{std::log(0.25F), std::log(0.75F)};
  CheckClose(Run("LogSoftmaxGrad", {1, 2}, {{4, 8}, log_p}, 1), {1, -1});
}

}  // namespace
}  // namespace rm::kernels::ref
