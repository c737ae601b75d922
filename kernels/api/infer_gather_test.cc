#include <catch2/catch.hpp>

#include "kernels/api/infer_testing.h"

namespace rm::kernels {
namespace {

// An operator that takes elements of `x`, and its gradient, which gives them back.
struct GatherCase {
  std::string op;
  Shape x, indices;
  Attributes attributes;
  Shape y;
};

const GatherCase kTaken[] = {
    {"Gather", {5, 3}, {2, 4}, {}, {2, 4, 3}},
    {"Gather", {5, 3}, {}, {}, {3}},
    {"Gather", {5, 3, 2}, {4}, {{"axis", int64_t{1}}}, {5, 4, 2}},
    {"GatherElements", {5, 3}, {5, 7}, {{"axis", int64_t{1}}}, {5, 7}},
    {"GatherElements", {5, 3}, {2, 3}, {}, {2, 3}},
    {"GatherND", {5, 3, 2}, {4, 2}, {}, {4, 2}},
    {"GatherND", {5, 3}, {4, 6, 1}, {}, {4, 6, 3}},
    {"GatherND", {5, 3, 2}, {5, 4, 1}, {{"batch_dims", int64_t{1}}}, {5, 4, 2}},
    {"GatherND", {5, 3}, {5, 1}, {{"batch_dims", int64_t{1}}}, {5}},
};

TEST_CASE("what is taken by indices, and its gradient", "[gather]") {
  for (const GatherCase& c : kTaken) {
    INFO(c.op << " " << ShapeString(c.x) << " " << ShapeString(c.indices));
    CHECK(Infer({c.op, {Float(c.x), Int64(c.indices)}, c.attributes}) == ShapeString(c.y));
    CHECK(Infer({c.op + "Grad", {Float(c.y), Int64(c.indices)}, c.attributes, 1, {Float(c.x)}}) ==
          ShapeString(c.x));
    Shape wrong = c.y;
    wrong.push_back(9);
    CHECK(Infer({c.op + "Grad", {Float(wrong), Int64(c.indices)}, c.attributes, 1, {Float(c.x)}}) ==
          "dY has shape " + ShapeString(wrong) + ", it must be " + ShapeString(c.y));
  }
}

TEST_CASE("any dtype is taken, by whole numbers alone", "[gather]") {
  const TensorType index{DType::kInt32, {2}, Layout::kPlain};
  CHECK(Infer({"Gather", {UInt8({5, 3}), index}, {}}) == "uint8 [2, 3]");
  CHECK(Infer({"Gather", {Float({5}), Float({2})}, {}}) ==
        "indices is float32, it must be int64 or int32");
}

struct MisfitCase {
  std::string op;
  Shape x, indices;
  Attributes attributes;
  const char* message;
};

const MisfitCase kMisfits[] = {
    {"Gather", {5}, {2}, {{"axis", int64_t{1}}}, "attribute axis is 1, of 1 dimensions"},
    {"Gather", {5}, {2}, {{"axis", int64_t{-1}}}, "attribute axis is -1, of 1 dimensions"},
    {"Gather", {}, {2}, {}, "attribute axis is 0, of 0 dimensions"},
    {"GatherElements", {5, 3}, {5}, {}, "indices has 1 dimensions, it must have 2"},
    {"GatherElements", {5, 3}, {2, 4}, {}, "indices has 4 along axis 1, data has 3"},
    {"GatherND", {5}, {}, {}, "attribute batch_dims is 0, it must be below 0"},
    {"GatherND", {5}, {2, 2}, {}, "the last dimension of indices is 2, it must be from 1 to 1"},
    {"GatherND",
     {5, 3},
     {4, 1},
     {{"batch_dims", int64_t{1}}},
     "data and indices differ in dimension 0 of the batch"},
    {"GatherND",
     {5, 3},
     {5, 1},
     {{"batch_dims", int64_t{2}}},
     "attribute batch_dims is 2, it must be below 2"},
};

TEST_CASE("what does not fit is said", "[gather]") {
  for (const MisfitCase& c : kMisfits) {
    CHECK(Infer({c.op, {Float(c.x), Int64(c.indices)}, c.attributes}) == c.message);
  }
}

}  // namespace
}  // namespace rm::kernels
