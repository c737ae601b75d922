#include "runtime/graph/flops.h"

#include <catch2/catch.hpp>

namespace rm::graph {
namespace {

using kernels::OpInstance;
using kernels::Shape;

int64_t Count(const std::string& op, const std::vector<Shape>& inputs,
              const std::vector<Shape>& outputs, kernels::Attributes attributes = {}) {
  OpInstance instance;
  instance.op = op;
  instance.attributes = std::move(attributes);
  for (const Shape& shape : inputs) instance.inputs.push_back({{kernels::DType::kFloat32, shape}});
  for (const Shape& shape : outputs) {
    instance.outputs.push_back({{kernels::DType::kFloat32, shape}});
  }
  return Flops(instance);
}

TEST_CASE("products count two for each multiplication", "[flops]") {
  CHECK(Count("MatMul", {{8, 3, 5}, {5, 7}}, {{8, 3, 7}}) == 2 * 8 * 3 * 7 * 5);
  CHECK(Count("Gemm", {{3, 5}, {7, 5}}, {{3, 7}}, {{"transB", int64_t{1}}}) == 2 * 3 * 7 * 5);
  CHECK(Count("Gemm", {{5, 3}, {5, 7}}, {{3, 7}}, {{"transA", int64_t{1}}}) == 2 * 3 * 7 * 5);
}

TEST_CASE("a convolution and its two gradients cost the same", "[flops]") {
  const Shape x = {2, 4, 10, 10};
  const Shape w = {6, 4, 3, 3};
  const Shape y = {2, 6, 8, 8};
  const int64_t flops = 2 * (2 * 6 * 8 * 8) * (4 * 3 * 3);
  CHECK(Count("Conv", {x, w}, {y}) == flops);
  CHECK(Count("ConvGradInput", {y, w}, {x}) == flops);
  CHECK(Count("ConvGradWeight", {x, y}, {w}) == flops);
  CHECK(Count("Conv", {x, {4, 1, 3, 3}}, {{2, 4, 8, 8}}) == 2 * (2 * 4 * 8 * 8) * 9);  // depthwise
}

TEST_CASE("other operators count their elements, those that move them none", "[flops]") {
  CHECK(Count("Add", {{2, 3}, {3}}, {{2, 3}}) == 6);
  CHECK(Count("Transpose", {{2, 3}}, {{3, 2}}) == 0);
  CHECK(Count("LSTM", {{10, 2, 4}, {1, 12, 4}, {1, 12, 3}}, {{10, 1, 2, 3}}) ==
        2 * 10 * 2 * (12 * 4 + 12 * 3));
}

}  // namespace
}  // namespace rm::graph
