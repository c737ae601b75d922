// Add, Relu, ReluGrad and ReduceSum.
#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

struct AddCase {
  Shape a, b;
  const char* result;
};

TEST_CASE("Add broadcasts both ways", "[elementwise]") {
  const AddCase cases[] = {
      {{2, 3}, {2, 3}, "[2, 3]"}, {{2, 3}, {3}, "[2, 3]"},
      {{3}, {2, 3}, "[2, 3]"},    {{2, 1}, {1, 3}, "[2, 3]"},
      {{}, {4}, "[4]"},           {{}, {}, "[]"},
      {{1}, {1, 1}, "[1, 1]"},    {{5, 1, 2}, {4, 1}, "[5, 4, 2]"},
      {{0, 3}, {1, 3}, "[0, 3]"}, {{2, 3}, {2}, "[2, 3] and [2] do not broadcast"},
  };
  for (const AddCase& c : cases) {
    INFO(ShapeString(c.a) << " + " << ShapeString(c.b));
    CHECK(Infer({"Add", {Float(c.a), Float(c.b)}, {}}) == c.result);
  }
  CHECK(Infer({"Add", {Float({1}), Int64({1})}, {}}) == "B is int64, it must be float32");
}

TEST_CASE("Relu and its gradient keep the shape", "[elementwise]") {
  CHECK(Infer({"Relu", {Float({2, 3, 4})}, {}}) == "[2, 3, 4]");
  CHECK(Infer({"Relu", {UInt8({2})}, {}}) == "X is uint8, it must be float32");
  CHECK(Infer({"ReluGrad", {Float({2, 3}), Float({2, 3})}, {}}) == "[2, 3]");
  CHECK(Infer({"ReluGrad", {Float({3, 2}), Float({2, 3})}, {}}) ==
        "dY has shape [3, 2], it must be [2, 3]");
}

struct ReduceCase {
  Attributes attributes;
  const char* result;
};

TEST_CASE("ReduceSum drops or keeps the axes it sums over", "[elementwise]") {
  const int64_t no = 0;
  const ReduceCase cases[] = {
      {{}, "[1, 1, 1]"},
      {{{"keepdims", no}}, "[]"},
      {{{"axes", Ints{0}}}, "[1, 3, 4]"},
      {{{"axes", Ints{-1, 0}}, {"keepdims", no}}, "[3]"},
      {{{"axes", Ints{1, -2}}}, "axis -2 is named twice"},
      {{{"axes", Ints{3}}}, "axis 3 of a tensor with 3 dimensions"},
      {{{"axes", Ints{-4}}}, "axis -4 of a tensor with 3 dimensions"},
  };
  for (const ReduceCase& c : cases) {
    INFO(c.result);
    CHECK(Infer({"ReduceSum", {Float({2, 3, 4})}, c.attributes}) == c.result);
  }
}

}  // namespace
}  // namespace rm::kernels
