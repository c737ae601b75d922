#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using testing::Int64s;
using Values = std::vector<float>;

absl::StatusOr<std::vector<Values>> Loss(const Shape& shape, const Values& logits,
                                         const Values& labels, const Values& weights,
                                         const Attributes& attributes = {}) {
  const OpInstance op{"SoftmaxCrossEntropy",
                      attributes,
                      {Floats(shape), Int64s({shape[0]}), Floats({shape[0]})},
                      {Floats({1}), Floats(shape)}};
  return Compute(Table(), op, {logits, labels, weights});
}

TEST_CASE("equal logits give equal probabilities and the logarithm of the classes") {
  const auto result = Loss({1, 4}, {3, 3, 3, 3}, {2}, {1});
  REQUIRE(result.ok());
  CHECK(result->at(0)[0] == Approx(std::log(4.0)));
  CHECK(result->at(1) == Values{0.25F, 0.25F, 0.25F, 0.25F});
}

TEST_CASE("rows are weighted and summed") {
  // softmax(0, log 3) = (1/4, 3/4)
  const float log3 = std::log(3.0F);
  const auto result = Loss({2, 2}, {0, log3, 0, log3}, {0, 1}, {2, 10});
  REQUIRE(result.ok());
  CHECK(result->at(0)[0] == Approx(2 * std::log(4.0) + 10 * std::log(4.0 / 3)));
  CHECK(result->at(1)[0] == Approx(0.25));
  CHECK(result->at(1)[3] == Approx(0.75));
}

TEST_CASE("large logits do not overflow") {
  const auto result = Loss({1, 2}, {1000, 990}, {1}, {1});
  REQUIRE(result.ok());
  CHECK(result->at(0)[0] == Approx(10.0 + std::log1p(std::exp(-10.0))));
  CHECK(result->at(1)[0] == Approx(1 / (1 + std::exp(-10.0))));
}

TEST_CASE("label smoothing spreads a share of the target over all classes") {
  // Target (0.9, 0.1) for smoothing 0.2 over two classes; softmax (3/4, 1/4).
  const auto result =
      Loss({1, 2}, {std::log(3.0F), 0}, {0}, {1}, {{"label_smoothing", 0.2F}});
  REQUIRE(result.ok());
  CHECK(result->at(0)[0] == Approx(-0.9 * std::log(0.75) - 0.1 * std::log(0.25)));
}

TEST_CASE("a label that is no class is refused by row") {
  const auto high = Loss({2, 3}, Values(6), {0, 3}, {1, 1});
  CHECK(high.status() == absl::InvalidArgumentError("label 3 of row 1 is not in 0…2"));
  const auto negative = Loss({2, 3}, Values(6), {-1, 0}, {1, 1});
  CHECK(negative.status() == absl::InvalidArgumentError("label -1 of row 0 is not in 0…2"));
}

TEST_CASE("a row of weight zero counts for nothing, whatever it holds") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto result = Loss({2, 2}, {0, 0, nan, nan}, {0, 77}, {1, 0});
  REQUIRE(result.ok());
  CHECK(result->at(0)[0] == Approx(std::log(2.0)));
}

}  // namespace
}  // namespace rm::kernels::ref
