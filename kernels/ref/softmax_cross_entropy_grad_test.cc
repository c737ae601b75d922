#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using testing::Int64s;
using Values = std::vector<float>;

absl::StatusOr<std::vector<Values>> Grad(const Shape& shape, const Values& probabilities,
                                         const Values& labels, const Values& weights, float scale,
                                         const Attributes& attributes = {}) {
  const OpInstance op{"SoftmaxCrossEntropyGrad",
                      attributes,
                      {Floats(shape), Int64s({shape[0]}), Floats({shape[0]}), Floats({1})},
                      {Floats(shape)}};
  return Compute(Table(), op, {probabilities, labels, weights, {scale}});
}

TEST_CASE("the gradient is the probabilities less the target, weighted and scaled") {
  const auto result = Grad({2, 2}, {0.25F, 0.75F, 0.5F, 0.5F}, {0, 1}, {1, 2}, 4);
  REQUIRE(result.ok());
  CHECK(result->at(0) == Values{-3, 3, 4, -4});
}

TEST_CASE("label smoothing moves the target") {
  // Target (0.75, 0.25) for smoothing 0.5 over two classes.
  const auto result =
      Grad({1, 2}, {0.75F, 0.25F}, {0}, {1}, 1, {{"label_smoothing", 0.5F}});
  REQUIRE(result.ok());
  CHECK(result->at(0) == Values{0, 0});
}

TEST_CASE("a row of weight zero gives zeros, whatever its label") {
  const auto result = Grad({1, 2}, {0.5F, 0.5F}, {-9}, {0}, 1);
  REQUIRE(result.ok());
  CHECK(result->at(0) == Values{0, 0});
}

TEST_CASE("a label that is no class is refused") {
  CHECK(Grad({1, 2}, {0.5F, 0.5F}, {2}, {1}, 1).status() ==
        absl::InvalidArgumentError("label 2 of row 0 is not in 0…1"));
}

}  // namespace
}  // namespace rm::kernels::ref
