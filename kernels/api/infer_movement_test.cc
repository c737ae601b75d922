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

}  // namespace
}  // namespace rm::kernels
