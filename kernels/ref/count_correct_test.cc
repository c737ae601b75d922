#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using testing::Int64s;
using Values = std::vector<float>;

float Count(const Shape& shape, const Values& logits, const Values& labels,
            const Values& weights) {
  const OpInstance op{"CountCorrect",
                      {},
                      {Floats(shape), Int64s({shape[0]}), Floats({shape[0]})},
                      {Floats({1})}};
  const auto result = Compute(Table(), op, {logits, labels, weights});
  INFO(result.status());
  REQUIRE(result.ok());
  return result->at(0)[0];
}

TEST_CASE("the weights of the rows whose maximum is the label are counted") {
  const Values logits{1, 3, 2, 9, 0, 0, 0, 0, 1};
  CHECK(Count({3, 3}, logits, {1, 0, 2}, {1, 1, 1}) == 3);
  CHECK(Count({3, 3}, logits, {1, 1, 2}, {1, 1, 1}) == 2);
  CHECK(Count({3, 3}, logits, {1, 0, 2}, {1, 0, 0.5F}) == 1.5F);
}

TEST_CASE("of equal maxima the first is the answer") {
  CHECK(Count({1, 3}, {5, 5, 5}, {0}, {1}) == 1);
  CHECK(Count({1, 3}, {5, 5, 5}, {1}, {1}) == 0);
}

TEST_CASE("a label that is no class is merely wrong") {
  CHECK(Count({1, 2}, {1, 2}, {-1}, {1}) == 0);
}

}  // namespace
}  // namespace rm::kernels::ref
