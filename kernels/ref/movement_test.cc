#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

constexpr DType kDTypes[] = {DType::kFloat32, DType::kInt64, DType::kInt32, DType::kUInt8,
                             DType::kBool};

Operand Of(DType dtype, const Shape& shape) { return {TensorType{dtype, shape}, true}; }

// Runs the operator for every dtype; all must give the same.
std::vector<Values> Run(const std::string& op, const Attributes& attributes,
                        const std::vector<Shape>& inputs, const std::vector<Shape>& outputs,
                        const std::vector<Values>& values) {
  std::vector<Values> first;
  for (const DType dtype : kDTypes) {
    OpInstance instance{op, attributes, {}, {}};
    for (const Shape& shape : inputs) instance.inputs.push_back(Of(dtype, shape));
    for (const Shape& shape : outputs) instance.outputs.push_back(Of(dtype, shape));
    const auto result = Compute(Table(), instance, values);
    INFO(instance.ToString() << " " << result.status());
    REQUIRE(result.ok());
    if (first.empty()) first = *result;
    CHECK(*result == first);
  }
  return first;
}

TEST_CASE("Transpose puts dimensions into another order") {
  const Values x{1, 2, 3, 4, 5, 6};
  CHECK(Run("Transpose", {}, {{2, 3}}, {{3, 2}}, {x})[0] == Values{1, 4, 2, 5, 3, 6});
  CHECK(Run("Transpose", {{"perm", Ints{0, 2, 1}}}, {{1, 2, 3}}, {{1, 3, 2}}, {x})[0] ==
        Values{1, 4, 2, 5, 3, 6});
  CHECK(Run("Transpose", {{"perm", Ints{2, 0, 1}}}, {{2, 3, 1}}, {{1, 2, 3}}, {x})[0] == x);
}

TEST_CASE("Concat joins along an axis") {
  const std::vector<Values> x{{1, 2, 3, 4}, {5, 6}};
  CHECK(Run("Concat", {{"axis", int64_t{0}}}, {{2, 2}, {1, 2}}, {{3, 2}}, x)[0] ==
        Values{1, 2, 3, 4, 5, 6});
  CHECK(Run("Concat", {{"axis", int64_t{1}}}, {{2, 2}, {2, 1}}, {{2, 3}}, x)[0] ==
        Values{1, 2, 5, 3, 4, 6});
  CHECK(Run("Concat", {{"axis", int64_t{0}}}, {{2}}, {{2}}, {{7, 8}})[0] == Values{7, 8});
  CHECK(Run("Concat", {{"axis", int64_t{0}}}, {{2}, {0}}, {{2}}, {{7, 8}, {}})[0] ==
        Values{7, 8});
}

TEST_CASE("Split takes apart what Concat joins") {
  const auto parts = Run("Split", {{"axis", int64_t{1}}, {"split", Ints{2, 1}}}, {{2, 3}},
                         {{2, 2}, {2, 1}}, {{1, 2, 3, 4, 5, 6}});
  CHECK(parts[0] == Values{1, 2, 4, 5});
  CHECK(parts[1] == Values{3, 6});
}

TEST_CASE("Slice takes a part, in steps and backwards too") {
  const Values x{1, 2, 3, 4, 5, 6};
  CHECK(Run("Slice", {{"starts", Ints{1}}, {"ends", Ints{3}}, {"axes", Ints{1}}}, {{2, 3}},
            {{2, 2}}, {x})[0] == Values{2, 3, 5, 6});
  CHECK(Run("Slice", {{"starts", Ints{5}}, {"ends", Ints{-1}}, {"steps", Ints{-2}}}, {{6}}, {{3}},
            {x})[0] == Values{6, 4, 2});
  CHECK(Run("Slice", {{"starts", Ints{2}}, {"ends", Ints{2}}}, {{6}}, {{0}}, {x})[0].empty());
}

TEST_CASE("Expand repeats") {
  CHECK(Run("Expand", {{"shape", Ints{2, 2}}}, {{2, 1}}, {{2, 2}}, {{1, 2}})[0] ==
        Values{1, 1, 2, 2});
  CHECK(Run("Expand", {{"shape", Ints{2, 1, 1}}}, {{2}}, {{2, 1, 2}}, {{1, 2}})[0] ==
        Values{1, 2, 1, 2});
}

TEST_CASE("Trilu keeps one side of a diagonal") {
  const Values x{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto trilu = [&](int64_t upper, int64_t k) {
    return Run("Trilu", {{"upper", upper}, {"k", k}}, {{3, 3}}, {{3, 3}}, {x})[0];
  };
  CHECK(Run("Trilu", {}, {{3, 3}}, {{3, 3}}, {x})[0] == Values{1, 2, 3, 0, 5, 6, 0, 0, 9});
  CHECK(trilu(0, 0) == Values{1, 0, 0, 4, 5, 0, 7, 8, 9});
  CHECK(trilu(1, 1) == Values{0, 2, 3, 0, 0, 6, 0, 0, 0});
  CHECK(trilu(0, -2) == Values{0, 0, 0, 0, 0, 0, 7, 0, 0});
  CHECK(Run("Trilu", {{"upper", int64_t{0}}}, {{2, 1, 2}}, {{2, 1, 2}}, {{1, 2, 3, 4}})[0] ==
        Values{1, 0, 3, 0});
}

TEST_CASE("SliceGrad puts a part back among zeros") {
  const OpInstance op{"SliceGrad",
                      {{"starts", Ints{3}}, {"ends", Ints{-1}}, {"steps", Ints{-2}}},
                      {Floats({2})},
                      {Floats({5})}};
  CHECK(Compute(Table(), op, {{1, 2}})->at(0) == Values{0, 2, 0, 1, 0});
}

}  // namespace
}  // namespace rm::kernels::ref
