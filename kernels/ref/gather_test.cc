#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using testing::Int64s;
using Ints = std::vector<int64_t>;
using Values = std::vector<float>;

struct Case {
  std::string op;
  Attributes attributes;
  Shape x;
  Values values;
  Shape index_shape;
  Values indices;
  Shape y_shape;
  Values y;
};

const Case kCases[] = {
    {"Gather", {}, {3, 2}, {1, 2, 3, 4, 5, 6}, {2}, {2, 0}, {2, 2}, {5, 6, 1, 2}},
    {"Gather", {}, {3, 2}, {1, 2, 3, 4, 5, 6}, {}, {-1}, {2}, {5, 6}},
    {"Gather",
     {{"axis", int64_t{1}}},
     {2, 3},
     {1, 2, 3, 4, 5, 6},
     {1, 2},
     {1, -3},
     {2, 1, 2},
     {2, 1, 5, 4}},
    {"GatherElements",
     {{"axis", int64_t{1}}},
     {2, 2},
     {1, 2, 3, 4},
     {2, 3},
     {0, 0, 1, 1, -1, 0},
     {2, 3},
     {1, 1, 2, 4, 4, 3}},
    {"GatherElements", {}, {3, 2}, {1, 2, 3, 4, 5, 6}, {1, 2}, {1, 2}, {1, 2}, {3, 6}},
    {"GatherND", {}, {2, 2}, {1, 2, 3, 4}, {2, 2}, {0, 0, 1, -1}, {2}, {1, 4}},
    {"GatherND", {}, {2, 2}, {1, 2, 3, 4}, {2, 1}, {1, 0}, {2, 2}, {3, 4, 1, 2}},
    {"GatherND",
     {{"batch_dims", int64_t{1}}},
     {2, 2, 2},
     {1, 2, 3, 4, 5, 6, 7, 8},
     {2, 1},
     {1, 0},
     {2, 2},
     {3, 4, 5, 6}},
};

TEST_CASE("elements are taken by their indices, of any dtype") {
  for (const Case& c : kCases) {
    for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kUInt8}) {
      for (const DType index : {DType::kInt64, DType::kInt32}) {
        const OpInstance op{c.op,
                            c.attributes,
                            {{{dtype, c.x}}, {{index, c.index_shape}}},
                            {{{dtype, c.y_shape}}}};
        const auto result = Compute(Table(), op, {c.values, c.indices});
        INFO(op.ToString() << " " << result.status());
        REQUIRE(result.ok());
        CHECK(result->at(0) == c.y);
      }
    }
  }
}

// Σ dY·Y = Σ dX·X for every dY, as Y is linear in X.
TEST_CASE("gradients are added where the elements were taken") {
  for (const Case& c : kCases) {
    const OpInstance op{c.op + "Grad",
                        c.attributes,
                        {Floats(c.y_shape), Int64s(c.index_shape)},
                        {Floats(c.x)}};
    Values dy;
    for (size_t i = 0; i < c.y.size(); ++i) dy.push_back(static_cast<float>(i + 1));
    const auto result = Compute(Table(), op, {dy, c.indices});
    INFO(op.ToString() << " " << result.status());
    REQUIRE(result.ok());
    float by_y = 0;
    float by_x = 0;
    for (size_t i = 0; i < dy.size(); ++i) by_y += dy[i] * c.y[i];
    for (size_t i = 0; i < c.values.size(); ++i) by_x += result->at(0)[i] * c.values[i];
    CHECK(by_y == by_x);
  }
}

TEST_CASE("the gradient of a row that is taken twice is a sum, of one never taken zero") {
  const OpInstance op{"GatherGrad", {}, {Floats({3, 2}), Int64s({3})}, {Floats({3, 2})}};
  CHECK(Compute(Table(), op, {{1, 2, 3, 4, 5, 6}, {2, 0, 2}})->at(0) ==
        Values{3, 4, 0, 0, 6, 8});
}

TEST_CASE("an index outside of its dimension is named") {
  const OpInstance op{"Gather", {}, {Floats({3, 2}), Int64s({2})}, {Floats({2, 2})}};
  CHECK(Compute(Table(), op, {{1, 2, 3, 4, 5, 6}, {0, 3}}).status().message() ==
        "index 3 at place 1 is outside -3…2");
  CHECK_FALSE(Compute(Table(), op, {{1, 2, 3, 4, 5, 6}, {-4, 0}}).ok());
  const OpInstance grad{"GatherGrad", {}, {Floats({2, 2}), Int64s({2})}, {Floats({3, 2})}};
  CHECK_FALSE(Compute(Table(), grad, {{1, 2, 3, 4}, {0, 3}}).ok());
}

}  // namespace
}  // namespace rm::kernels::ref
