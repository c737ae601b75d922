#include <catch2/catch.hpp>
#include <string>

#include "kernels/api/op_signature.h"
#include "runtime/graph/ops/op_rule.h"

namespace rm::graph {
namespace {

TEST_CASE("the table is in alphabetical order, each operator once", "[op_table]") {
  std::string last;
  for (const OpRule& rule : OpTable()) {
    CHECK(last < rule.op);
    last = rule.op;
  }
}

TEST_CASE("every row has something to say about an operator that exists", "[op_table]") {
  for (const OpRule& rule : OpTable()) {
    INFO(rule.op);
    CHECK((rule.trait != OpTrait::kNone || rule.differentiate != nullptr));
    CHECK(kernels::FindOpSignature(rule.op) != nullptr);
    CHECK(FindOp(rule.op) == &rule);
  }
}

TEST_CASE("operators of the backward pass have no gradient of their own", "[op_table]") {
  for (const OpRule& rule : OpTable()) {
    const bool backward = std::string(rule.op).find("Grad") != std::string::npos;
    if (backward) CHECK(rule.differentiate == nullptr);
  }
}

TEST_CASE("an operator outside the table is not found", "[op_table]") {
  CHECK(FindOp("relu") == nullptr);
  CHECK(FindOp("") == nullptr);
}

}  // namespace
}  // namespace rm::graph
