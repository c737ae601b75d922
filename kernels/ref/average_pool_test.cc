#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

Values Pool(const std::string& op, const Attributes& attributes, const Shape& from,
            const Values& values, const Shape& to) {
  const auto result = Compute(Table(), {op, attributes, {Floats(from)}, {Floats(to)}}, {values});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

const Values kNine{1, 2, 3, 4, 5, 6, 7, 8, 9};
const Attributes kTwo{{"kernel_shape", Ints{2, 2}}};
const Attributes kPadded{{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 1, 0, 0}},
                         {"strides", Ints{2, 2}}};

Attributes CountingPadding() {
  Attributes attributes = kPadded;
  attributes.Set("count_include_pad", int64_t{1});
  return attributes;
}

TEST_CASE("each window is averaged") {
  CHECK(Pool("AveragePool", kTwo, {1, 1, 3, 3}, kNine, {1, 1, 2, 2}) == Values{3, 4, 6, 7});
}

TEST_CASE("padding counts only if asked to") {
  CHECK(Pool("AveragePool", kPadded, {1, 1, 3, 3}, kNine, {1, 1, 2, 2}) ==
        Values{1, 2.5F, 5.5F, 7});
  CHECK(Pool("AveragePool", CountingPadding(), {1, 1, 3, 3}, kNine, {1, 1, 2, 2}) ==
        Values{0.25F, 1.25F, 2.75F, 7});
}

TEST_CASE("the global pool averages whole images") {
  CHECK(Pool("GlobalAveragePool", {}, {1, 2, 1, 3}, {1, 2, 3, 4, 5, 9}, {1, 2, 1, 1}) ==
        Values{2, 6});
}

TEST_CASE("gradients are shared out between the elements of a window") {
  CHECK(Pool("AveragePoolGrad", kTwo, {1, 1, 1, 2}, {4, 8}, {1, 1, 2, 3}) ==
        Values{1, 3, 2, 1, 3, 2});
  CHECK(Pool("AveragePoolGrad", kPadded, {1, 1, 2, 2}, {1, 2, 2, 4}, {1, 1, 3, 3}) ==
        Values{1, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(Pool("AveragePoolGrad", CountingPadding(), {1, 1, 2, 2}, {4, 0, 0, 0}, {1, 1, 3, 3}) ==
        Values{1, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(Pool("GlobalAveragePoolGrad", {}, {1, 2, 1, 1}, {3, 6}, {1, 2, 1, 3}) ==
        Values{1, 1, 1, 2, 2, 2});
}

}  // namespace
}  // namespace rm::kernels::ref
