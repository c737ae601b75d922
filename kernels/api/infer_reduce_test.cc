#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

TEST_CASE("reductions drop axes, or keep them as 1", "[reduce]") {
  const TensorType x = Float({2, 3, 4});
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax"}) {
    INFO(op);
    CHECK(Infer({op, {x}}) == "[1, 1, 1]");
    CHECK(Infer({op, {x}, {{"keepdims", int64_t{0}}}}) == "[]");
    CHECK(Infer({op, {x}, {{"axes", Ints{0, -1}}}}) == "[1, 3, 1]");
    CHECK(Infer({op, {x}, {{"axes", Ints{1}}, {"keepdims", int64_t{0}}}}) == "[2, 4]");
    CHECK(Infer({op, {x}, {{"axes", Ints{3}}}}) == "axis 3 of a tensor with 3 dimensions");
    CHECK(Infer({op, {x}, {{"axes", Ints{1, -2}}}}) == "axis -2 is named twice");
    CHECK(Infer({op, {Int64({2})}}) == "X is int64, it must be float32");
  }
}

TEST_CASE("nothing has a sum, but neither mean nor maximum", "[reduce]") {
  const TensorType none = Float({0, 3});
  const Attributes first{{"axes", Ints{0}}};
  CHECK(Infer({"ReduceSum", {none}, first}) == "[1, 3]");
  CHECK(Infer({"ReduceMean", {none}, first}) == "there is nothing to reduce along the axes");
  CHECK(Infer({"ReduceMax", {none}, first}) == "there is nothing to reduce along the axes");
}

TEST_CASE("the gradient of a sum is as wide as what was summed", "[reduce]") {
  const Attributes last{{"axes", Ints{1}}, {"keepdims", int64_t{0}}};
  CHECK(Infer({"ReduceSumGrad", {Float({2})}, last, 1, {Float({2, 3})}}) == "[2, 3]");
  CHECK(Infer({"ReduceMeanGrad", {Float({2})}, last, 1, {Float({2, 3})}}) == "[2, 3]");
  CHECK(Infer({"ReduceSumGrad", {Float({2, 1})}, last, 1, {Float({2, 3})}}) ==
        "dY has shape [2, 1], it must be [2]");
}

}  // namespace
}  // namespace rm::kernels
