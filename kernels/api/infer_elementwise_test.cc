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
  CHECK(Infer({"Add", {UInt8({1}), UInt8({1})}, {}}) ==
        "A is uint8, it must be float32 or int64 or int32");
}

TEST_CASE("Relu and its gradient keep the shape", "[elementwise]") {
  CHECK(Infer({"Relu", {Float({2, 3, 4})}, {}}) == "[2, 3, 4]");
  CHECK(Infer({"Relu", {UInt8({2})}, {}}) == "X is uint8, it must be float32");
  CHECK(Infer({"ReluGrad", {Float({2, 3}), Float({2, 3})}, {}}) == "[2, 3]");
  CHECK(Infer({"ReluGrad", {Float({3, 2}), Float({2, 3})}, {}}) ==
        "dY has shape [3, 2], it must be [2, 3]");
}

TensorType Bool(Shape shape) { return {DType::kBool, std::move(shape), Layout::kPlain}; }

TEST_CASE("arithmetic keeps the dtype of its operands", "[elementwise]") {
  for (const std::string op : {"Add", "Sub", "Mul", "Div", "Max", "Min"}) {
    INFO(op);
    CHECK(Infer({op, {Int64({2, 1}), Int64({3})}, {}}) == "int64 [2, 3]");
    CHECK(Infer({op, {Float({2}), Float({})}, {}}) == "[2]");
  }
  CHECK(Infer({"Max", {Float({2, 1}), Float({3}), Float({4, 1, 1})}, {}}) == "[4, 2, 3]");
  CHECK(Infer({"Min", {Float({2})}, {}}) == "[2]");
  CHECK(Infer({"Max", {Float({2}), Float({2}), Int64({2})}, {}}) ==
        "C is int64, it must be float32");
}

TEST_CASE("a remainder of floats needs fmod", "[elementwise]") {
  CHECK(Infer({"Mod", {Int64({2}), Int64({2})}, {}}) == "int64 [2]");
  CHECK(Infer({"Mod", {Float({2}), Float({2})}, {{"fmod", int64_t{1}}}}) == "[2]");
  CHECK(Infer({"Mod", {Float({2}), Float({2})}, {}}) == "attribute fmod must be 1 for float32");
}

TEST_CASE("powers are of floats", "[elementwise]") {
  CHECK(Infer({"Pow", {Float({2, 2}), Float({})}, {}}) == "[2, 2]");
  CHECK(Infer({"PowGrad", {Float({2, 2}), Float({2, 2}), Float({})}, {}}) == "[2, 2]");
  CHECK(Infer({"Pow", {Int64({2}), Int64({})}, {}}) == "A is int64, it must be float32");
}

TEST_CASE("comparisons make truth values", "[elementwise]") {
  for (const std::string op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
    INFO(op);
    CHECK(Infer({op, {Int64({2, 1}), Int64({3})}, {}}) == "bool [2, 3]");
    CHECK(Infer({op, {Float({2}), Int64({2})}, {}}) == "B is int64, it must be float32");
  }
  CHECK(Infer({"Equal", {Bool({2}), Bool({2})}, {}}) == "bool [2]");
  CHECK(Infer({"Less", {Bool({2}), Bool({2})}, {}}) ==
        "A is bool, it must be float32 or int64 or int32");
}

TEST_CASE("logic takes truth values alone", "[elementwise]") {
  CHECK(Infer({"And", {Bool({2, 1}), Bool({3})}, {}}) == "bool [2, 3]");
  CHECK(Infer({"Or", {Bool({2}), UInt8({2})}, {}}) == "B is uint8, it must be bool");
  CHECK(Infer({"Not", {Bool({2})}, {}}) == "bool [2]");
  CHECK(Infer({"Not", {UInt8({2})}, {}}) == "A is uint8, it must be bool");
  CHECK(Infer({"IsNaN", {Float({2})}, {}}) == "bool [2]");
  CHECK(Infer({"IsNaN", {Int64({2})}, {}}) == "X is int64, it must be float32");
}

TEST_CASE("Where broadcasts three ways", "[elementwise]") {
  CHECK(Infer({"Where", {Bool({2, 1, 1}), Float({3, 1}), Float({4})}, {}}) == "[2, 3, 4]");
  CHECK(Infer({"Where", {Bool({2}), Int64({2}), Int64({})}, {}}) == "int64 [2]");
  CHECK(Infer({"Where", {UInt8({2}), Float({2}), Float({2})}, {}}) ==
        "condition is uint8, it must be bool");
  CHECK(Infer({"Where", {Bool({2}), Float({2}), Int64({2})}, {}}) ==
        "Y is int64, it must be float32");
}

TEST_CASE("functions of one tensor keep its shape, and so do their gradients", "[elementwise]") {
  for (const std::string op : {"Clip", "Elu", "Erf", "Gelu", "HardSigmoid", "HardSwish",
                               "LeakyRelu", "Reciprocal", "Sigmoid", "Sqrt", "Tanh"}) {
    INFO(op);
    CHECK(Infer({op, {Float({2, 3})}, {}}) == "[2, 3]");
    CHECK(Infer({op, {Int64({2, 3})}, {}}) == "X is int64, it must be float32");
    CHECK(Infer({op + "Grad", {Float({2, 3}), Float({2, 3})}, {}}) == "[2, 3]");
    CHECK(Infer({op + "Grad", {Float({3}), Float({2, 3})}, {}}) ==
          "dY has shape [3], it must be [2, 3]");
  }
  for (const std::string op : {"Abs", "Neg"}) {
    CHECK(Infer({op, {Float({2, 3})}, {}}) == "[2, 3]");
    CHECK(Infer({op, {Int64({2, 3})}, {}}) == "int64 [2, 3]");
    CHECK(Infer({op, {UInt8({2})}, {}}) == "A is uint8, it must be float32 or int64 or int32");
  }
  CHECK(Infer({"Gelu", {Float({2})}, {{"approximate", std::string("fast")}}}) ==
        "attribute approximate is 'fast', it must be none or tanh");
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
