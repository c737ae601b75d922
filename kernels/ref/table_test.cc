#include "kernels/ref/table.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "kernels/api/op_signature.h"
#include "kernels/api/testing.h"

namespace rm::kernels::ref {
namespace {

using testing::Floats;

TEST_CASE("every operator has one reference kernel, and its row is where the alphabet has it") {
  std::vector<std::string> expected;
  for (const OpSignature& signature : OpSignatures()) expected.emplace_back(signature.op);
  std::vector<std::string> ops;
  std::set<std::string> names;
  for (const KernelEntry& entry : Table()) {
    ops.emplace_back(entry.op);
    names.insert(entry.name);
  }
  CHECK(ops == expected);
  CHECK(names.size() == expected.size());
}

TEST_CASE("only Reorder takes layouts other than plain") {
  const Operand plain = Floats({1, 2, 3, 3});
  const Operand blocked = Floats({1, 2, 3, 3}, Layout::kChannels8);
  CHECK(FindKernel(Table(), {"Relu", {}, {plain}, {plain}}) != nullptr);
  CHECK(FindKernel(Table(), {"Relu", {}, {blocked}, {blocked}}) == nullptr);
  CHECK(FindKernel(Table(), {"Reorder", {}, {plain}, {blocked}}) != nullptr);
}

TEST_CASE("what breaks the rules of its operator is not supported") {
  CHECK(FindKernel(Table(), {"Relu", {}, {Floats({2})}, {Floats({3})}}) == nullptr);
  CHECK(FindKernel(Table(), {"Relu", {}, {}, {Floats({3})}}) == nullptr);
}

}  // namespace
}  // namespace rm::kernels::ref
