#include "kernels/cpu/kernel_testing.h"

namespace rm::kernels::cpu {
namespace {

using testing::Bytes;
using testing::Floats;
using testing::Int64s;

TEST_CASE("movement is of any dtype") {
  for (const auto& of : {+[](const Shape& s) { return Floats(s); },
                         +[](const Shape& s) { return Int64s(s); },
                         +[](const Shape& s) { return Bytes(s); }}) {
    const Values x{1, 2, 3, 4, 5, 6};
    CHECK(RunOnCpu({"Transpose", {}, {of({2, 3})}, {of({3, 2})}}, {x})[0] ==
          Values{1, 4, 2, 5, 3, 6});
    const Attributes columns{{"axis", int64_t{1}}};
    CHECK(RunOnCpu({"Concat", columns, {of({2, 2}), of({2, 1})}, {of({2, 3})}},
                   {{1, 2, 3, 4}, {5, 6}})[0] == Values{1, 2, 5, 3, 4, 6});
    const Attributes split{{"axis", int64_t{1}}, {"split", Ints{1, 2}}};
    const auto parts = RunOnCpu({"Split", split, {of({2, 3})}, {of({2, 1}), of({2, 2})}}, {x});
    CHECK(parts[0] == Values{1, 4});
    CHECK(parts[1] == Values{2, 3, 5, 6});
    CHECK(RunOnCpu({"Expand", {{"shape", Ints{2, 2}}}, {of({2, 1})}, {of({2, 2})}}, {{1, 2}})[0] ==
          Values{1, 1, 2, 2});
    const Attributes slice{{"starts", Ints{2}}, {"ends", Ints{-1}}, {"axes", Ints{1}},
                           {"steps", Ints{-2}}};
    CHECK(RunOnCpu({"Slice", slice, {of({2, 3})}, {of({2, 2})}}, {x})[0] == Values{3, 1, 6, 4});
  }
}

TEST_CASE("the gradient of a slice is zero outside of it") {
  const Attributes middle{{"starts", Ints{1}}, {"ends", Ints{3}}};
  CHECK(RunOnCpu({"SliceGrad", middle, {Floats({2})}, {Floats({4})}}, {{1, 2}})[0] ==
        Values{0, 1, 2, 0});
  // Nothing is left to be zero here.
  const Attributes reversed{{"starts", Ints{2}}, {"ends", Ints{-1}}, {"steps", Ints{-1}}};
  CHECK(RunOnCpu({"SliceGrad", reversed, {Floats({3})}, {Floats({3})}}, {{1, 2, 3}})[0] ==
        Values{3, 2, 1});
}

TEST_CASE("a part that nobody reads is left out") {
  const Attributes split{{"axis", int64_t{0}}, {"split", Ints{1, 1, 2}}};
  const OpInstance op{
      "Split", split, {Floats({4})}, {Floats({1}), testing::Absent(), Floats({2})}};
  testing::Tensor x(op.inputs[0].type, {1, 2, 3, 4});
  testing::Tensor first(op.outputs[0].type);
  testing::Tensor y(op.outputs[2].type);
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  REQUIRE(testing::RunEntry(*entry, op, {&x}, {&first, nullptr, &y}).ok());
  CHECK(y.values() == Values{3, 4});
}

TEST_CASE("images in other layouts are left to a Reorder") {
  const Operand blocked = Floats({1, 8, 2, 2}, Layout::kChannels8);
  CHECK(TakenBy({"Transpose", {{"perm", Ints{0, 1, 2, 3}}}, {blocked}, {blocked}}).empty());
}

}  // namespace
}  // namespace rm::kernels::cpu
