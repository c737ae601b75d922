#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

TEST_CASE("Gemm multiplies matrices, transposed or not", "[matmul]") {
  const int64_t yes = 1;
  CHECK(Infer({"Gemm", {Float({2, 3}), Float({3, 5})}, {}}) == "[2, 5]");
  CHECK(Infer({"Gemm", {Float({3, 2}), Float({3, 5})}, {{"transA", yes}}}) == "[2, 5]");
  CHECK(Infer({"Gemm", {Float({2, 3}), Float({5, 3})}, {{"transB", yes}}}) == "[2, 5]");
  CHECK(Infer({"Gemm", {Float({3, 2}), Float({5, 3})}, {{"transA", yes}, {"transB", yes}}}) ==
        "[2, 5]");
  CHECK(Infer({"Gemm", {Float({1, 1}), Float({1, 1})}, {{"activation", std::string("relu")}}}) ==
        "[1, 1]");
}

TEST_CASE("C of Gemm broadcasts to the product", "[matmul]") {
  const Shape fitting[] = {{5}, {1}, {1, 5}, {2, 1}, {2, 5}, {1, 1}, {}};
  for (const Shape& c : fitting) {
    INFO(ShapeString(c));
    CHECK(Infer({"Gemm", {Float({2, 3}), Float({3, 5}), Float(c)}, {}}) == "[2, 5]");
  }
  const Shape wrong[] = {{2}, {5, 2}, {1, 2, 5}, {0}};
  for (const Shape& c : wrong) {
    INFO(ShapeString(c));
    CHECK(Infer({"Gemm", {Float({2, 3}), Float({3, 5}), Float(c)}, {}}) ==
          "C does not broadcast to [2, 5]");
  }
}

TEST_CASE("Gemm refuses what does not fit", "[matmul]") {
  CHECK(Infer({"Gemm", {Float({2, 3}), Float({4, 5})}, {}}) ==
        "the inner dimensions 3 and 4 differ");
  CHECK(Infer({"Gemm", {Float({2, 3, 1}), Float({4, 5})}, {}}) ==
        "A has 3 dimensions, it must have 2");
  CHECK(Infer({"Gemm", {Float({2, 3}), Int64({3, 5})}, {}}) == "B is int64, it must be float32");
  CHECK(Infer({"Gemm", {Float({2, 3}), Float({3, 5})}, {{"activation", std::string("elu")}}}) ==
        "unknown activation 'elu'; there is relu");
}

struct MatMulCase {
  Shape a, b;
  const char* result;
};

TEST_CASE("MatMul follows NumPy", "[matmul]") {
  const MatMulCase cases[] = {
      {{2, 3}, {3, 5}, "[2, 5]"},
      {{3}, {3, 5}, "[5]"},
      {{2, 3}, {3}, "[2]"},
      {{3}, {3}, "[]"},
      {{7, 2, 3}, {3, 5}, "[7, 2, 5]"},
      {{7, 2, 3}, {3}, "[7, 2]"},
      {{7, 2, 3}, {7, 3, 5}, "[7, 2, 5]"},
      {{7, 1, 2, 3}, {4, 3, 5}, "[7, 4, 2, 5]"},
      {{3}, {7, 3, 5}, "[7, 5]"},
      {{2, 3}, {4, 5}, "the inner dimensions 3 and 4 differ"},
      {{3}, {4}, "the inner dimensions 3 and 4 differ"},
      {{2, 2, 3}, {5, 3, 4}, "[2] and [5] do not broadcast"},
      {{}, {3}, "a scalar is not a matrix"},
  };
  for (const MatMulCase& c : cases) {
    INFO(ShapeString(c.a) << " by " << ShapeString(c.b));
    CHECK(Infer({"MatMul", {Float(c.a), Float(c.b)}, {}}) == c.result);
  }
}

TEST_CASE("operands of MatMul may be transposed in their last two dimensions", "[matmul]") {
  const int64_t yes = 1;
  const Attributes a{{"transA", yes}};
  const Attributes b{{"transB", yes}};
  const Attributes both{{"transA", yes}, {"transB", yes}, {"alpha", 0.5F}};
  CHECK(Infer({"MatMul", {Float({7, 3, 2}), Float({7, 3, 5})}, a}) == "[7, 2, 5]");
  CHECK(Infer({"MatMul", {Float({7, 2, 3}), Float({5, 3})}, b}) == "[7, 2, 5]");
  CHECK(Infer({"MatMul", {Float({3, 2}), Float({4, 5, 3})}, both}) == "[4, 2, 5]");
  CHECK(Infer({"MatMul", {Float({7, 2, 3}), Float({7, 3, 5})}, a}) ==
        "the inner dimensions 2 and 3 differ");
  CHECK(Infer({"MatMul", {Float({3}), Float({5, 3})}, b}) ==
        "a vector has no two dimensions to transpose");
}

}  // namespace
}  // namespace rm::kernels
