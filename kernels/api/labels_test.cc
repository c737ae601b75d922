#include "kernels/api/labels.h"

#include <catch2/catch.hpp>

namespace rm::kernels {
namespace {

TEST_CASE("labels must be classes unless their row has no weight") {
  const float ones[] = {1, 1, 1};
  const float holes[] = {1, 0, 1};
  const int64_t good[] = {0, 9, 5};
  const int64_t high[] = {0, 10, 5};
  const int64_t negative[] = {0, -1, 5};
  CHECK(CheckLabels(good, ones, 3, 10).ok());
  CHECK(CheckLabels(high, holes, 3, 10).ok());
  CHECK(CheckLabels(high, ones, 3, 10) ==
        absl::InvalidArgumentError("label 10 of row 1 is not in 0…9"));
  CHECK(CheckLabels(negative, ones, 3, 10) ==
        absl::InvalidArgumentError("label -1 of row 1 is not in 0…9"));
  CHECK(CheckLabels(high, ones, 0, 10).ok());
}

}  // namespace
}  // namespace rm::kernels
