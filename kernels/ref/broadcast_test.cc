// Arithmetic, comparisons, logic and Where, by hand.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Bytes;
using testing::Compute;
using testing::Floats;
using testing::Int64s;
using testing::RunEntry;
using testing::Tensor;
using Values = std::vector<float>;

Operand Int32s(const Shape& shape) { return {TensorType{DType::kInt32, shape}, true}; }
Operand Bools(const Shape& shape) { return {TensorType{DType::kBool, shape}, true}; }

Values Run(const OpInstance& op, const std::vector<Values>& inputs) {
  const auto result = Compute(Table(), op, inputs);
  INFO(op.ToString() << " " << result.status());
  REQUIRE(result.ok());
  return result->at(0);
}

Values Add(const Shape& a_shape, const Values& a, const Shape& b_shape, const Values& b,
           const Shape& y_shape) {
  return Run({"Add", {}, {Floats(a_shape), Floats(b_shape)}, {Floats(y_shape)}}, {a, b});
}

TEST_CASE("equal shapes are added element by element") {
  CHECK(Add({2, 2}, {1, 2, 3, 4}, {2, 2}, {10, 20, 30, 40}, {2, 2}) == Values{11, 22, 33, 44});
}

TEST_CASE("a row is added to every row") {
  CHECK(Add({2, 3}, {1, 2, 3, 4, 5, 6}, {3}, {10, 20, 30}, {2, 3}) ==
        Values{11, 22, 33, 14, 25, 36});
}

TEST_CASE("a column is added to every column") {
  CHECK(Add({2, 3}, {1, 2, 3, 4, 5, 6}, {2, 1}, {10, 20}, {2, 3}) ==
        Values{11, 12, 13, 24, 25, 26});
}

TEST_CASE("both operands stretch") {
  CHECK(Add({2, 1}, {1, 2}, {1, 3}, {10, 20, 30}, {2, 3}) == Values{11, 21, 31, 12, 22, 32});
}

TEST_CASE("a scalar is added to everything") {
  CHECK(Add({}, {5}, {1, 3}, {1, 2, 3}, {1, 3}) == Values{6, 7, 8});
}

// Two vectors of any dtype by any operator.
Values Pairwise(const std::string& op, const Operand& x, const Values& a, const Values& b,
                Attributes attributes = {}) {
  return Run({op, std::move(attributes), {x, x}, {x}}, {a, b});
}

TEST_CASE("arithmetic of floats and of integers") {
  for (const Operand& x : {Floats({3}), Int64s({3}), Int32s({3})}) {
    CHECK(Pairwise("Add", x, {1, 2, -3}, {4, 5, 6}) == Values{5, 7, 3});
    CHECK(Pairwise("Sub", x, {1, 2, -3}, {4, 5, 6}) == Values{-3, -3, -9});
    CHECK(Pairwise("Mul", x, {1, 2, -3}, {4, 5, 6}) == Values{4, 10, -18});
    CHECK(Pairwise("Div", x, {8, 10, -9}, {4, -5, 3}) == Values{2, -2, -3});
    CHECK(Pairwise("Max", x, {1, 7, -3}, {4, 5, -6}) == Values{4, 7, -3});
    CHECK(Pairwise("Min", x, {1, 7, -3}, {4, 5, -6}) == Values{1, 5, -6});
  }
  CHECK(Pairwise("Div", Floats({2}), {1, 0}, {4, -5}) == Values{0.25F, -0.0F});
  CHECK(Pairwise("Div", Int64s({3}), {7, -7, 7}, {2, 2, -2}) == Values{3, -3, -3});
}

TEST_CASE("remainders have the sign of the divisor, or by fmod that of the dividend") {
  const Values a{7, -7, 7, -7, 6};
  const Values b{3, 3, -3, -3, 3};
  for (const Operand& x : {Int64s({5}), Int32s({5})}) {
    CHECK(Pairwise("Mod", x, a, b) == Values{1, 2, -2, -1, 0});
    CHECK(Pairwise("Mod", x, a, b, {{"fmod", int64_t{1}}}) == Values{1, -1, 1, -1, 0});
  }
  CHECK(Pairwise("Mod", Floats({2}), {5.5F, -5.5F}, {2, 2}, {{"fmod", int64_t{1}}}) ==
        Values{1.5F, -1.5F});
}

TEST_CASE("an integer divisor of 0 is an error that says where") {
  const OpInstance op{"Div", {}, {Int64s({3}), Int64s({3})}, {Int64s({3})}};
  const auto result = Compute(Table(), op, {{1, 2, 3}, {1, 1, 0}});
  CHECK(result.status().message() == "element 2 of the divisor B is 0");
  CHECK(std::isinf(Pairwise("Div", Floats({1}), {1}, {0})[0]));
}

TEST_CASE("integers wrap around and are never undefined") {
  const TensorType type{DType::kInt64, {2}};
  Tensor a(type);
  Tensor b(type);
  Tensor y(type);
  auto* left = static_cast<int64_t*>(a.data());
  auto* right = static_cast<int64_t*>(b.data());
  left[0] = std::numeric_limits<int64_t>::min();
  left[1] = std::numeric_limits<int64_t>::max();
  right[0] = -1;
  right[1] = 1;
  const auto run = [&](const std::string& op) {
    const OpInstance instance{op, {}, {{type}, {type}}, {{type}}};
    REQUIRE(RunEntry(*FindKernel(Table(), instance), instance, {&a, &b}, {&y}).ok());
    return static_cast<const int64_t*>(y.data());
  };
  CHECK(run("Add")[1] == left[0]);
  CHECK(run("Div")[0] == left[0]);
  CHECK(run("Mod")[0] == 0);
  CHECK(run("Mul")[0] == left[0]);
}

TEST_CASE("Max and Min take one operand or many, and a NaN wins") {
  const Operand x = Floats({2});
  CHECK(Run({"Max", {}, {x}, {x}}, {{1, 2}}) == Values{1, 2});
  CHECK(Run({"Min", {}, {x, Floats({}), x}, {x}}, {{1, 9}, {5}, {7, 8}}) == Values{1, 5});
  for (const std::string op : {"Max", "Min"}) {
    const Values y = Pairwise(op, x, {NAN, 1}, {1, NAN});
    CHECK(std::isnan(y[0]));
    CHECK(std::isnan(y[1]));
  }
}

TEST_CASE("powers, and their slope") {
  CHECK(Pairwise("Pow", Floats({4}), {2, 4, -3, 0}, {3, -0.5F, 2, 0}) == Values{8, 0.5F, 9, 1});
  const Operand x = Floats({4});
  const OpInstance grad{"PowGrad", {}, {x, x, Floats({})}, {x}};
  CHECK(Run(grad, {{1, 1, 2, 1}, {2, 0, -1, 3}, {3}}) == Values{12, 0, 6, 27});
  CHECK(Run(grad, {{1, 1, 2, 1}, {2, 0, -1, 3}, {0}}) == Values{0, 0, 0, 0});
}

TEST_CASE("comparisons of numbers") {
  for (const Operand& x : {Floats({3}), Int64s({3}), Int32s({3})}) {
    const auto holds = [&x](const std::string& op) {
      return Run({op, {}, {x, x}, {Bools({3})}}, {{1, 2, 3}, {2, 2, 2}});
    };
    CHECK(holds("Equal") == Values{0, 1, 0});
    CHECK(holds("Less") == Values{1, 0, 0});
    CHECK(holds("LessOrEqual") == Values{1, 1, 0});
    CHECK(holds("Greater") == Values{0, 0, 1});
    CHECK(holds("GreaterOrEqual") == Values{0, 1, 1});
  }
  CHECK(Run({"Equal", {}, {Bools({2}), Bools({})}, {Bools({2})}}, {{0, 1}, {1}}) == Values{0, 1});
}

TEST_CASE("nothing holds of a NaN") {
  for (const std::string op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
    CHECK(Run({op, {}, {Floats({1}), Floats({1})}, {Bools({1})}}, {{NAN}, {NAN}}) == Values{0});
  }
}

TEST_CASE("And and Or of truth values") {
  const Operand x = Bools({4});
  CHECK(Run({"And", {}, {x, x}, {x}}, {{0, 0, 1, 1}, {0, 1, 0, 1}}) == Values{0, 0, 0, 1});
  CHECK(Run({"Or", {}, {x, x}, {x}}, {{0, 0, 1, 1}, {0, 1, 0, 1}}) == Values{0, 1, 1, 1});
  CHECK(Run({"And", {}, {Bools({2, 1}), Bools({2})}, {Bools({2, 2})}}, {{0, 1}, {0, 1}}) ==
        Values{0, 0, 0, 1});
}

TEST_CASE("Where chooses by the condition, whatever the dtype") {
  for (const Operand& x : {Floats({2, 2}), Int64s({2, 2}), Bytes({2, 2})}) {
    Operand row = x;
    row.type.shape = {2};
    CHECK(Run({"Where", {}, {Bools({2, 1}), x, row}, {x}}, {{0, 1}, {1, 2, 3, 4}, {8, 9}}) ==
          Values{8, 9, 3, 4});
  }
}

}  // namespace
}  // namespace rm::kernels::ref
