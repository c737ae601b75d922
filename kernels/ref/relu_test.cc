#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

Values Relu(const Values& x) {
  const Shape shape{static_cast<int64_t>(x.size())};
  const auto result = Compute(Table(), {"Relu", {}, {Floats(shape)}, {Floats(shape)}}, {x});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

TEST_CASE("what is negative becomes zero") {
  CHECK(Relu({-2, -0.5F, 0, 0.5F, 2}) == Values{0, 0, 0, 0.5F, 2});
}

TEST_CASE("infinities are numbers and a NaN stays") {
  CHECK(Relu({-INFINITY, INFINITY}) == Values{0, INFINITY});
  CHECK(std::isnan(Relu({NAN})[0]));
}

}  // namespace
}  // namespace rm::kernels::ref
