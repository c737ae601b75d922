#include "kernels/cpu/reduce_loops.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/isa_testing.h"

namespace rm::kernels::cpu {
namespace {

using Values = std::vector<float>;

std::vector<Build<ReduceLoops>> Builds() {
  return RunnableBuilds(v1::kReduceLoops, v3::kReduceLoops, v4::kReduceLoops);
}

Values Random(int64_t n) {
  base::RandomStream random(1, 1);
  Values values(static_cast<size_t>(n));
  for (float& value : values) value = random.NextNormal();
  return values;
}

struct Sum {
  double value = 0;
  double magnitude = 0;  // of the terms
  void Add(float term) {
    value += static_cast<double>(term);
    magnitude += std::abs(static_cast<double>(term));
  }
};

constexpr int64_t kSizes[] = {1, 2, 5, 16, 33, 127, 128, 1000};

TEST_CASE("each row is summed over its columns") {
  for (const auto& build : Builds()) {
    for (const int64_t columns : kSizes) {
      const Values x = Random(3 * columns);
      Values y(3);
      build.loops->rows(x.data(), y.data(), 3, columns);
      for (int64_t r = 0; r < 3; ++r) {
        Sum sum;
        for (int64_t c = 0; c < columns; ++c) sum.Add(x[static_cast<size_t>(r * columns + c)]);
        INFO(build.isa << " " << columns << " columns");
        REQUIRE(std::abs(static_cast<double>(y[static_cast<size_t>(r)]) - sum.value) <=
                1e-6 * sum.magnitude);
      }
    }
  }
}

TEST_CASE("each column is summed over its rows") {
  for (const auto& build : Builds()) {
    for (const int64_t rows : kSizes) {
      for (const int64_t columns : {1, 7, 16, 100, 300}) {
        const Values x = Random(rows * columns);
        Values y(static_cast<size_t>(columns));
        build.loops->columns(x.data(), y.data(), rows, columns, columns);
        for (int64_t c = 0; c < columns; ++c) {
          Sum sum;
          for (int64_t r = 0; r < rows; ++r) sum.Add(x[static_cast<size_t>(r * columns + c)]);
          INFO(build.isa << " " << rows << " rows, column " << c << " of " << columns);
          REQUIRE(std::abs(static_cast<double>(y[static_cast<size_t>(c)]) - sum.value) <=
                  1e-6 * sum.magnitude);
        }
      }
    }
  }
}

TEST_CASE("some columns of a wider matrix are summed alone") {
  for (const auto& build : Builds()) {
    const Values x{1, 2, 3, 10, 20, 30};
    Values y{-1, -1, -1};
    build.loops->columns(x.data() + 1, y.data(), 2, 2, 3);
    CHECK(y == Values{22, 33, -1});
  }
}

TEST_CASE("the sum of nothing is zero") {
  for (const auto& build : Builds()) {
    Values y{5, 5};
    build.loops->rows(nullptr, y.data(), 2, 0);
    CHECK(y == Values{0, 0});
    y = {5, 5};
    build.loops->columns(nullptr, y.data(), 0, 2, 2);
    CHECK(y == Values{0, 0});
  }
}

TEST_CASE("a long column keeps small terms beside a large sum") {
  for (const auto& build : Builds()) {
    const Values x(100000, 0.1F);
    Values y(1);
    build.loops->columns(x.data(), y.data(), 100000, 1, 1);
    INFO(build.isa);
    CHECK(static_cast<double>(y[0]) == Approx(10000).epsilon(1e-5));
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
