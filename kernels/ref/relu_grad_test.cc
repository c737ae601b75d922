#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Values = std::vector<float>;

TEST_CASE("the gradient passes where the output is positive") {
  const OpInstance op{"ReluGrad", {}, {Floats({2, 2}), Floats({2, 2})}, {Floats({2, 2})}};
  const auto result = Compute(Table(), op, {{1, -2, 3, -4}, {0, 5, 0, 0.001F}});
  REQUIRE(result.ok());
  CHECK(result->at(0) == Values{0, -2, 0, -4});
}

}  // namespace
}  // namespace rm::kernels::ref
