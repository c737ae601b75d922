#include "kernels/cpu/kernel_testing.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;

OpInstance MatMul(const Shape& a, const Shape& b, const Shape& y) {
  return {"MatMul", {}, {Floats(a), Floats(b)}, {Floats(y)}};
}

TEST_CASE("one B serves all of A") {
  CHECK(RunOnCpu(MatMul({2, 1, 2}, {2, 1}, {2, 1, 1}), {{1, 2, 3, 4}, {1, 10}})[0] ==
        Values{21, 43});
}

TEST_CASE("batches of one shape are multiplied one by one") {
  CHECK(RunOnCpu(MatMul({2, 1, 2}, {2, 2, 1}, {2, 1, 1}), {{1, 2, 3, 4}, {1, 1, 10, 100}})[0] ==
        Values{3, 430});
  CHECK(RunOnCpu(MatMul({1, 2, 1, 1}, {1, 2, 1, 1}, {1, 2, 1, 1}), {{2, 3}, {5, 7}})[0] ==
        Values{10, 21});
}

TEST_CASE("a B whose rows meet in the cache gives the same product") {
  // Each column of B is its number, each row of A is ones: row sums.
  const int64_t n = 1024;
  const int64_t k = 40;
  Values b(static_cast<size_t>(k * n));
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 1024);
  const Values y =
      RunOnCpu(MatMul({3, k}, {k, n}, {3, n}), {Values(static_cast<size_t>(3 * k), 1), b})[0];
  for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == 40 * static_cast<float>(i % 1024));
}

TEST_CASE("transposed operands and a factor need no copy") {
  OpInstance op = MatMul({2, 2, 1}, {2, 2, 1}, {2, 1, 1});
  op.attributes.Set("transA", int64_t{1});
  op.attributes.Set("alpha", 0.5F);
  CHECK(RunOnCpu(op, {{1, 2, 3, 4}, {1, 1, 10, 100}})[0] == Values{1.5F, 215});
  // (2, 3) by the transpose of (2, 3): the rows' products with each other.
  OpInstance rows = MatMul({2, 3}, {2, 3}, {2, 2});
  rows.attributes.Set("transB", int64_t{1});
  CHECK(RunOnCpu(rows, {{1, 2, 3, 4, 5, 6}, {1, 0, 0, 1, 1, 1}})[0] == Values{1, 6, 4, 15});
}

TEST_CASE("a single matrix on either side serves a batch") {
  OpInstance op = MatMul({2, 2, 1}, {2, 1}, {2, 1, 1});
  op.attributes.Set("transA", int64_t{1});
  CHECK(TakenBy(op) == "onednn_matmul");
  CHECK(RunOnCpu(op, {{1, 2, 3, 4}, {1, 10}})[0] == Values{21, 43});
  const OpInstance left = MatMul({1, 1, 2}, {2, 2, 1}, {2, 1, 1});
  CHECK(TakenBy(left) == "onednn_matmul");
  CHECK(RunOnCpu(left, {{1, 10}, {1, 2, 3, 4}})[0] == Values{21, 43});
}

TEST_CASE("vectors, stretched batches and empty products are left to the reference") {
  CHECK(SupportsMatMul(MatMul({2, 3}, {3, 4}, {2, 4})));
  CHECK_FALSE(SupportsMatMul(MatMul({3}, {3, 4}, {4})));
  CHECK_FALSE(SupportsMatMul(MatMul({2, 3}, {3}, {2})));
  CHECK_FALSE(SupportsMatMul(MatMul({2, 1, 3, 4}, {5, 4, 2}, {2, 5, 3, 2})));
  CHECK_FALSE(SupportsMatMul(MatMul({2, 0}, {0, 4}, {2, 4})));
}

}  // namespace
}  // namespace rm::kernels::cpu
