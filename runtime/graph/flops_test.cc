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

TEST_CASE("what fusion put into a node counts as the node that it was", "[flops]") {
  const kernels::Attributes relu = {{"activation", std::string("relu")}};
  const Shape x = {2, 4, 10, 10};
  const Shape y = {2, 6, 8, 8};
  const int64_t outputs = 2 * 6 * 8 * 8;
  const int64_t conv = Count("Conv", {x, {6, 4, 3, 3}}, {y});
  CHECK(Count("Conv", {x, {6, 4, 3, 3}}, {y}, relu) == conv + Count("Relu", {y}, {y}));
  CHECK(Count("MatMul", {{3, 5}, {5, 7}}, {{3, 7}}, {{"alpha", 0.5F}}) ==
        2 * 3 * 7 * 5 + Count("Mul", {{3, 7}, {}}, {{3, 7}}));
  CHECK(Count("MatMul", {{3, 5}, {5, 7}}, {{3, 7}}, {{"alpha", 1.0F}}) == 2 * 3 * 7 * 5);
  CHECK(Count("LeakyRelu", {y}, {y}, {{"alpha", 0.1F}}) == outputs);  // its own alpha
  const int64_t norm = Count("BatchNormTraining", {y, {6}, {6}}, {y, {6}});
  CHECK(norm == outputs + 6);
  CHECK(Count("BatchNormTraining", {y, {6}, {6}, y}, {y, {6}}, relu) == norm + 2 * outputs);
}

int64_t Bytes(const std::string& op, const std::vector<Shape>& inputs, const Shape& output) {
  OpInstance instance;
  instance.op = op;
  for (const Shape& shape : inputs) instance.inputs.push_back({{kernels::DType::kFloat32, shape}});
  instance.outputs.push_back({{kernels::DType::kFloat32, output}});
  return MovedBytes(instance);
}

TEST_CASE("every operand is moved once, of a table what is taken", "[flops]") {
  CHECK(Bytes("Add", {{2, 3}, {3}}, {2, 3}) == 4 * (6 + 3 + 6));
  CHECK(Bytes("Gather", {{1000, 8}, {5}}, {5, 8}) == 4 * (40 + 5 + 40));
  CHECK(Bytes("Gather", {{2, 8}, {5}}, {5, 8}) == 4 * (16 + 5 + 40));  // a table smaller than that
  OpInstance absent;
  absent.op = "Gemm";
  absent.inputs = {{{kernels::DType::kFloat32, {2, 2}}}, {{kernels::DType::kFloat32, {2, 2}}, false}};
  absent.outputs = {{{kernels::DType::kUInt8, {2, 2}}}};
  CHECK(MovedBytes(absent) == 16 + 4);
}

}  // namespace
}  // namespace rm::graph
