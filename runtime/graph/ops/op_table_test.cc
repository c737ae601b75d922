#include <catch2/catch.hpp>
#include <string>

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

TEST_CASE("every row can infer shapes and states possible arities", "[op_table]") {
  for (const OpRule& rule : OpTable()) {
    INFO(rule.op);
    CHECK(rule.infer != nullptr);
    CHECK(rule.inputs.least >= 1);
    CHECK(rule.inputs.least <= rule.inputs.most);
    CHECK(rule.outputs.least >= 1);
    CHECK(rule.outputs.least <= rule.outputs.most);
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
