#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using testing::Int64s;
using testing::RunEntry;
using testing::Tensor;
using Values = std::vector<float>;

TEST_CASE("Flatten and Reshape keep the elements in their order") {
  for (const std::string name : {"Flatten", "Reshape"}) {
    const OpInstance op{name, {}, {Floats({2, 3, 1})}, {Floats({2, 3})}};
    const auto result = Compute(Table(), op, {{1, 2, 3, 4, 5, 6}});
    REQUIRE(result.ok());
    CHECK(result->at(0) == Values{1, 2, 3, 4, 5, 6});
  }
}

TEST_CASE("Reshape takes any dtype") {
  const OpInstance op{"Reshape", {}, {Int64s({4})}, {Int64s({2, 2})}};
  const auto result = Compute(Table(), op, {{1, 2, 3, 4}});
  REQUIRE(result.ok());
  CHECK(result->at(0) == Values{1, 2, 3, 4});
}

TEST_CASE("in place there is nothing to do") {
  const OpInstance op{"Flatten", {}, {Floats({2, 2, 1})}, {Floats({2, 2})}};
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  REQUIRE(entry->in_place_input == 0);
  Tensor x(op.inputs[0].type, {1, 2, 3, 4});
  REQUIRE(RunEntry(*entry, op, {&x}, {&x}).ok());
  CHECK(x.values() == Values{1, 2, 3, 4});
}

}  // namespace
}  // namespace rm::kernels::ref
