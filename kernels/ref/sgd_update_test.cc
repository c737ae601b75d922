#include <catch2/catch.hpp>

#include "kernels/api/testing.h"
#include "kernels/ref/table.h"

namespace rm::kernels::ref {
namespace {

using testing::Compute;
using testing::Floats;
using testing::RunEntry;
using testing::Tensor;
using Values = std::vector<float>;

OpInstance Sgd(int64_t count) {
  const Operand x = Floats({count});
  return {"SgdUpdate", {}, {x, x, x, Floats({5})}, {x, x}};
}

// w and m after one update of one element.
Values Update(float w, float g, float m, const Values& hyper) {
  const auto result = Compute(Table(), Sgd(1), {{w}, {g}, {m}, hyper});
  INFO(result.status());
  REQUIRE(result.ok());
  return {result->at(0)[0], result->at(1)[0]};
}

TEST_CASE("the update is PyTorch's") {
  // Rate 0.5, all numbers exact in binary.
  CHECK(Update(1, 2, 4, {0.5F, 0, 0, 0, 1}) == Values{0, 2});              // plain
  CHECK(Update(1, 2, 4, {0.5F, 0.5F, 0, 0, 1}) == Values{-1, 4});          // m = 0.5·4 + 2
  CHECK(Update(1, 2, 4, {0.5F, 0.5F, 0, 1, 1}) == Values{-1, 4});          // step = 2 + 0.5·4
  CHECK(Update(1, 2, 8, {0.5F, 0.5F, 0, 1, 1}) == Values{-1.5F, 6});       // step = 2 + 0.5·6
  CHECK(Update(4, 2, 0, {0.5F, 0, 0.25F, 0, 1}) == Values{2.5F, 3});       // g' = 2 + 0.25·4
  CHECK(Update(4, 2, 2, {0.5F, 0.5F, 0.25F, 1, 1}) == Values{1.5F, 4});    // g' = 3, step = 3 + 2
  CHECK(Update(1, 4, 4, {0.5F, 0, 0, 0, 0.5F}) == Values{0, 2});           // half the gradient
}

TEST_CASE("the update works in place") {
  const OpInstance op = Sgd(3);
  const KernelEntry* entry = FindKernel(Table(), op);
  REQUIRE(entry != nullptr);
  Tensor w(op.inputs[0].type, {1, 2, 3});
  Tensor g(op.inputs[1].type, {2, 4, 6});
  Tensor m(op.inputs[2].type, {0, 2, 4});
  Tensor hyper(op.inputs[3].type, {0.5F, 0.5F, 0, 0, 1});
  REQUIRE(RunEntry(*entry, op, {&w, &g, &m, &hyper}, {&w, &m}).ok());
  CHECK(m.values() == Values{2, 5, 8});
  CHECK(w.values() == Values{0, -0.5F, -1});
  CHECK(g.values() == Values{2, 4, 6});
}

}  // namespace
}  // namespace rm::kernels::ref
