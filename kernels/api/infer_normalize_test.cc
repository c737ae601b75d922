#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

TEST_CASE("softmax keeps its operand's shape", "[normalize]") {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    CHECK(Infer({op, {Float({2, 3, 4})}}) == "[2, 3, 4]");
    CHECK(Infer({op, {Float({2, 3})}, {{"axis", int64_t{0}}}}) == "[2, 3]");
    CHECK(Infer({op, {Float({2, 3})}, {{"axis", int64_t{2}}}}) ==
          "axis 2 of a tensor with 2 dimensions");
    CHECK(Infer({op, {Float(Shape())}}) == "axis -1 of a tensor with 0 dimensions");
    CHECK(Infer({op, {Int64({2})}}) == "X is int64, it must be float32");
  }
}

TEST_CASE("the gradient of softmax has the result's shape", "[normalize]") {
  for (const char* op : {"SoftmaxGrad", "LogSoftmaxGrad"}) {
    CHECK(Infer({op, {Float({2, 3}), Float({2, 3})}}) == "[2, 3]");
    CHECK(Infer({op, {Float({3}), Float({2, 3})}}) == "dY has shape [3], it must be [2, 3]");
    CHECK(Infer({op, {Float({2}), Float({2})}, {{"axis", int64_t{1}}}}) ==
          "axis 1 of a tensor with 1 dimensions");
  }
}

TEST_CASE("LayerNormalization gives statistics of its rows", "[normalize]") {
  const char* op = "LayerNormalization";
  CHECK(Infer({op, {Float({2, 3, 4}), Float({4}), Float({4})}, {}, 3}) ==
        "[2, 3, 4], [2, 3, 1], [2, 3, 1]");
  CHECK(Infer({op, {Float({2, 3, 4}), Float({3, 4})}, {{"axis", int64_t{1}}}, 3}) ==
        "[2, 3, 4], [2, 1, 1], [2, 1, 1]");
  CHECK(Infer({op, {Float({2, 4}), Float({4})}}) == "[2, 4]");
}

TEST_CASE("LayerNormalization refuses what does not fit its rows", "[normalize]") {
  const char* op = "LayerNormalization";
  CHECK(Infer({op, {Float({2, 4}), Float({3})}}) == "Scale has shape [3], it must be [4]");
  CHECK(Infer({op, {Float({2, 4}), Float({4}), Float({2})}}) ==
        "B has shape [2], it must be [4]");
  CHECK(Infer({op, {Float({2, 0}), Float({0})}}) == "a row of X has no elements");
  CHECK(Infer({op, {Float({2, 4}), Float({4})}, {{"axis", int64_t{5}}}}) ==
        "axis 5 of a tensor with 2 dimensions");
}

TEST_CASE("the gradient of LayerNormalization takes the statistics back", "[normalize]") {
  const TensorType x = Float({2, 4});
  const TensorType row = Float({4});
  const TensorType number = Float({2, 1});
  CHECK(Infer({"LayerNormGrad", {x, x, row, number, number}, {}, 3}) == "[2, 4], [4], [4]");
  CHECK(Infer({"LayerNormGrad", {x, x, row, number, Float({2})}}) ==
        "InvStdDev has shape [2], it must be [2, 1]");
  CHECK(Infer({"LayerNormGrad", {row, x, row, number, number}}) ==
        "dY has shape [4], it must be [2, 4]");
}

}  // namespace
}  // namespace rm::kernels
