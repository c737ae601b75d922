#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

TEST_CASE("dropout keeps the shape, in use and in training", "[dropout]") {
  CHECK(Infer({"Dropout", {Float({4, 3, 2})}, {}}) == "[4, 3, 2]");
  CHECK(Infer({"Dropout", {Float({})}, {{"ratio", 0.25F}}}) == "[]");
  CHECK(Infer({"DropoutTraining", {Float({4, 3, 2}), Int64({3})}, {{"ratio", 0.25F}}}) ==
        "[4, 3, 2]");
}

TEST_CASE("dropout refuses what it cannot count by", "[dropout]") {
  const std::string op = "DropoutTraining";
  CHECK(Infer({op, {Float({4}), Float({3})}, {}}) == "counters is float32, it must be int64");
  CHECK(Infer({op, {Float({4}), Int64({4})}, {}}) == "counters has shape [4], it must be [3]");
  CHECK(Infer({op, {Float({}), Int64({3})}, {}}) ==
        "X has no first dimension that would count samples");
  CHECK(Infer({op, {Float({4})}, {}}) == "it has 1 inputs, it takes 2");
}

TEST_CASE("a ratio is a share, and not all", "[dropout]") {
  CHECK(Infer({"Dropout", {Int64({4})}, {}}) == "X is int64, it must be float32");
  CHECK(Infer({"Dropout", {Float({4})}, {{"ratio", 1.0F}}}) == "ratio 1 is not in [0, 1)");
  CHECK(Infer({"Dropout", {Float({4})}, {{"ratio", -0.5F}}}) == "ratio -0.5 is not in [0, 1)");
}

}  // namespace
}  // namespace rm::kernels
