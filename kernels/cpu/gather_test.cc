#include "kernels/cpu/kernel_testing.h"

namespace rm::kernels::cpu {
namespace {

using testing::Floats;
using testing::Int64s;

TEST_CASE("rows of an embedding, from the front and from the back") {
  const OpInstance op{"Gather", {}, {Floats({3, 2}), Int64s({2, 2})}, {Floats({2, 2, 2})}};
  CHECK(RunOnCpu(op, {{1, 2, 3, 4, 5, 6}, {2, 0, -1, 1}})[0] == Values{5, 6, 1, 2, 5, 6, 3, 4});
}

TEST_CASE("columns, and one row without an axis of its own") {
  const Attributes columns{{"axis", int64_t{1}}};
  CHECK(RunOnCpu({"Gather", columns, {Floats({2, 3}), Int64s({2})}, {Floats({2, 2})}},
                 {{1, 2, 3, 4, 5, 6}, {2, 0}})[0] == Values{3, 1, 6, 4});
  CHECK(RunOnCpu({"Gather", {}, {Floats({2, 3}), Int64s({})}, {Floats({3})}},
                 {{1, 2, 3, 4, 5, 6}, {1}})[0] == Values{4, 5, 6});
}

TEST_CASE("gradients of rows that are taken twice add up, others are zero") {
  const OpInstance op{"GatherGrad", {}, {Floats({3, 2}), Int64s({3})}, {Floats({3, 2})}};
  CHECK(RunOnCpu(op, {{1, 2, 3, 4, 5, 6}, {2, 0, -1}})[0] == Values{3, 4, 0, 0, 6, 8});
}

TEST_CASE("an index outside of the table is an error that says which") {
  for (const float index : {3.0F, -4.0F}) {
    const OpInstance op{"Gather", {}, {Floats({3, 2}), Int64s({2})}, {Floats({2, 2})}};
    const auto result = testing::Compute(Table(), op, {{1, 2, 3, 4, 5, 6}, {0, index}});
    CHECK_THAT(std::string(result.status().message()),
               Catch::EndsWith("at place 1 is outside -3…2"));
    const OpInstance grad{"GatherGrad", {}, {Floats({2, 2}), Int64s({2})}, {Floats({3, 2})}};
    CHECK_FALSE(testing::Compute(Table(), grad, {{1, 2, 3, 4}, {0, index}}).ok());
  }
}

}  // namespace
}  // namespace rm::kernels::cpu
