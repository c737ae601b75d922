#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

struct FlattenCase {
  int64_t axis;
  const char* result;
};

TEST_CASE("Flatten splits the dimensions at its axis", "[reshape]") {
  const FlattenCase cases[] = {
      {0, "[1, 120]"},
      {1, "[2, 60]"},
      {2, "[6, 20]"},
      {4, "[120, 1]"},
      {-1, "[24, 5]"},
      {-4, "[1, 120]"},
      {5, "axis 5 of 4 dimensions"},
      {-5, "axis -5 of 4 dimensions"},
  };
  for (const FlattenCase& c : cases) {
    INFO("axis " << c.axis);
    CHECK(Infer({"Flatten", {Float({2, 3, 4, 5})}, {{"axis", c.axis}}}) == c.result);
  }
  CHECK(Infer({"Flatten", {Float({2, 3, 4, 5})}, {}}) == "[2, 60]");
  const Shape scalar;
  CHECK(Infer({"Flatten", {Float(scalar)}, {{"axis", int64_t{0}}}}) == "[1, 1]");
  CHECK(Infer({"Flatten", {Int64({2, 3})}, {}}) == "int64 [2, 3]");
}

struct ReshapeCase {
  Ints shape;
  const char* result;
};

TEST_CASE("Reshape takes ONNX's 0 and −1", "[reshape]") {
  const ReshapeCase cases[] = {
      {{24}, "[24]"},
      {{4, 6}, "[4, 6]"},
      {{-1}, "[24]"},
      {{-1, 6}, "[4, 6]"},
      {{0, -1}, "[2, 12]"},
      {{0, 0, 0}, "[2, 3, 4]"},
      {{1, 0, 8}, "[1, 3, 8]"},
      {{5, 5}, "24 elements do not fill [5, 5]"},
      {{-1, 7}, "24 elements do not divide by 7"},
      {{-1, -1}, "attribute shape holds two −1"},
      {{-2, 12}, "attribute shape holds -2"},
      {{2, 3, 4, 0}, "attribute shape copies dimension 3"},
      {{}, "24 elements do not fill []"},
  };
  for (const ReshapeCase& c : cases) {
    INFO(c.result);
    CHECK(Infer({"Reshape", {Float({2, 3, 4})}, {{"shape", c.shape}}}) == c.result);
  }
}

TEST_CASE("Reshape without a shape takes that of the value it is like", "[reshape]") {
  CHECK(Infer({"Reshape", {Float({2, 12})}, {}, 1, {Float({2, 3, 4})}}) == "[2, 3, 4]");
  CHECK(Infer({"Reshape", {Float({2, 12})}, {}, 1, {Float({2, 3})}}) ==
        "24 elements do not fill [2, 3]");
  CHECK(Infer({"Reshape", {Float({2, 12})}, {}}) == "24 elements do not fill []");
}

TEST_CASE("Reorder keeps shape and element type", "[reshape]") {
  CHECK(Infer({"Reorder", {UInt8({2, 3, 4, 5})}, {}}) == "uint8 [2, 3, 4, 5]");
}

struct MovementCase {
  std::string op;
  Shape x;
  Attributes attributes;
  const char* result;
};

const MovementCase kMovements[] = {
    {"Transpose", {2, 3, 4}, {}, "[4, 3, 2]"},
    {"Transpose", {2, 3, 4}, {{"perm", Ints{0, 2, 1}}}, "[2, 4, 3]"},
    {"Transpose", {}, {}, "[]"},
    {"Transpose", {2, 3}, {{"perm", Ints{0, 0}}}, "attribute perm is no order of 2 dimensions"},
    {"Transpose", {2, 3}, {{"perm", Ints{0}}}, "attribute perm is no order of 2 dimensions"},
    {"Transpose", {2, 3}, {{"perm", Ints{0, -1}}}, "attribute perm is no order of 2 dimensions"},
    {"Expand", {3, 1}, {{"shape", Ints{2, 3, 4}}}, "[2, 3, 4]"},
    {"Expand", {3, 4}, {{"shape", Ints{1}}}, "[3, 4]"},
    {"Expand", {3}, {{"shape", Ints{4}}}, "[3] and [4] do not broadcast"},
    {"Expand", {3}, {{"shape", Ints{-1}}}, "attribute shape holds -1"},
    {"Expand",
     {1},
     {{"shape", Ints{1 << 30, 1 << 30}}},
     "a result of shape [1073741824, 1073741824] is too large"},
    {"Expand", {1}, {{"shape", Ints{0, 1 << 30}}}, "[0, 1073741824]"},
    {"Slice", {4, 6}, {{"starts", Ints{1}}, {"ends", Ints{3}}}, "[2, 6]"},
    {"Slice",
     {4, 6},
     {{"starts", Ints{5, 0}}, {"ends", Ints{-1, 4}}, {"axes", Ints{1, 0}}, {"steps", Ints{-4, 3}}},
     "[2, 2]"},
    {"Slice", {4}, {{"starts", Ints{2}}, {"ends", Ints{2}}}, "[0]"},
    {"Slice", {4}, {}, "[4]"},
    {"Slice",
     {4},
     {{"starts", Ints{0}}, {"ends", Ints{4}}, {"steps", Ints{INT64_MAX}}},
     "[1]"},
    {"Slice",
     {4},
     {{"starts", Ints{3}}, {"ends", Ints{-1}}, {"steps", Ints{INT64_MIN}}},
     "[1]"},
    {"Slice",
     {4},
     {{"starts", Ints{1}}, {"ends", Ints{5}}},
     "a slice from 1 to 5 in steps of 1 of a dimension of 4"},
    {"Slice",
     {4},
     {{"starts", Ints{-1}}, {"ends", Ints{3}}},
     "a slice from -1 to 3 in steps of 1 of a dimension of 4"},
    {"Slice",
     {4},
     {{"starts", Ints{4}}, {"ends", Ints{0}}, {"steps", Ints{-1}}},
     "a slice from 4 to 0 in steps of -1 of a dimension of 4"},
    {"Slice",
     {4},
     {{"starts", Ints{1}}, {"ends", Ints{3}}, {"steps", Ints{0}}},
     "attribute steps holds 0"},
    {"Slice",
     {4},
     {{"starts", Ints{1}}, {"ends", Ints{3, 4}}},
     "attributes starts and ends are not of one length"},
    {"Slice",
     {4},
     {{"starts", Ints{1}}, {"ends", Ints{3}}, {"axes", Ints{0, 1}}},
     "attributes starts and axes are not of one length"},
    {"Slice",
     {4},
     {{"starts", Ints{1}}, {"ends", Ints{3}}, {"axes", Ints{1}}},
     "axis 1 of a tensor with 1 dimensions"},
    {"Slice",
     {4},
     {{"starts", Ints{1, 1}}, {"ends", Ints{3, 3}}, {"axes", Ints{0, 0}}},
     "axis 0 is named twice"},
    {"Trilu", {2, 3, 4}, {}, "[2, 3, 4]"},
    {"Trilu", {4}, {}, "X has 1 dimensions, it must have 2 or more"},
    {"Cast", {4}, {{"to", std::string("bool")}}, "bool [4]"},
    {"Cast",
     {4},
     {{"to", std::string("float16")}},
     "attribute to is 'float16', it must be float32, int64, int32, uint8 or bool"},
};

TEST_CASE("what moves elements has the shape of what it takes", "[movement]") {
  for (const MovementCase& c : kMovements) {
    INFO(c.op << " of " << ShapeString(c.x));
    CHECK(Infer({c.op, {Float(c.x)}, c.attributes}) == c.result);
  }
  CHECK(Infer({"Transpose", {Int64({2, 3})}, {}}) == "int64 [3, 2]");
  CHECK(Infer({"Slice", {UInt8({4})}, {{"starts", Ints{1}}, {"ends", Ints{3}}}}) == "uint8 [2]");
}

TEST_CASE("SliceGrad has the shape it is like", "[movement]") {
  const Attributes part{{"starts", Ints{1}}, {"ends", Ints{3}}};
  CHECK(Infer({"SliceGrad", {Float({2, 5})}, part, 1, {Float({4, 5})}}) == "[4, 5]");
  CHECK(Infer({"SliceGrad", {Float({3, 5})}, part, 1, {Float({4, 5})}}) ==
        "dY has shape [3, 5], it must be [2, 5]");
}

TEST_CASE("Concat adds sizes up along its axis", "[movement]") {
  const Attributes first{{"axis", int64_t{0}}};
  CHECK(Infer({"Concat", {Int64({2, 3}), Int64({4, 3})}, first}) == "int64 [6, 3]");
  CHECK(Infer({"Concat", {Float({2}), Float({0}), Float({1})}, first}) == "[3]");
  CHECK(Infer({"Concat", {Float({2, 3}), Float({2, 4})}, first}) ==
        "operand 1 has shape [2, 4], it must be [2, 3]");
  CHECK(Infer({"Concat", {Float({2, 3}), Float({2})}, first}) ==
        "operand 1 has shape [2], it must be [2, 3]");
  CHECK(Infer({"Concat", {Float({2}), Int64({2})}, first}) ==
        "operand 1 is int64, it must be float32");
  CHECK(Infer({"Concat", {Float({2})}, {}}) == "attribute axis is -1, of 1 dimensions");
}

TEST_CASE("Split takes sizes that fill the axis", "[movement]") {
  const auto split = [](Ints sizes, int outputs) {
    return Infer({"Split", {Float({2, 6})}, {{"axis", int64_t{1}}, {"split", sizes}}, outputs});
  };
  CHECK(split({2, 4}, 2) == "[2, 2], [2, 4]");
  CHECK(split({6}, 1) == "[2, 6]");
  CHECK(split({2, 4}, 3) == "attribute split has 2 sizes for 3 outputs");
  CHECK(split({2, 3}, 2) == "attribute split does not add up to 6");
  CHECK(split({7, -1}, 2) == "attribute split does not add up to 6");
}

}  // namespace
}  // namespace rm::kernels
