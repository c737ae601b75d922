// MatMul of stacks, with a parameter behind each operand.
#include <catch2/catch.hpp>

#include "tests/graph/gradient_check.h"

namespace rm::graph {
namespace {

using kernels::Attributes;
using kernels::Shape;

// The product of input + p (of the input's shape) and b, as logits.
ValueId Product(ValueId x, const Shape& p, const Shape& b, const Attributes& attributes,
                Graph* g) {
  const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", p, g)});
  return Flat(g->AddNode("MatMul", "y", {a, Parameter("b", b, g)}, attributes), g);
}

const Attributes kLeft{{"transA", int64_t{1}}};
const Attributes kRight{{"transB", int64_t{1}}, {"alpha", 0.5F}};
const Attributes kBoth{{"transA", int64_t{1}}, {"transB", int64_t{1}}, {"alpha", -2.0F}};

const RuleCase kRules[] = {
    {"stacks of one batch",
     {3, 2, 4},
     [](ValueId x, Graph* g) { return Product(x, {2, 4}, {3, 4, 2}, {}, g); }},
    {"a stack by a transposed matrix",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) { return Product(x, {2, 4}, {3, 4}, kRight, g); }},
    {"a transposed stack by a matrix",
     {kBatch, 4, 2},
     [](ValueId x, Graph* g) { return Product(x, {4, 2}, {4, 3}, kLeft, g); }},
    {"a stack by a transposed stack",
     {3, 2, 4},
     [](ValueId x, Graph* g) { return Product(x, {2, 4}, {3, 3, 4}, kRight, g); }},
    {"both stacks transposed",
     {3, 4, 2},
     [](ValueId x, Graph* g) { return Product(x, {4, 2}, {3, 3, 4}, kBoth, g); }},
    {"a right operand that serves the whole batch",
     {3, 2, 2, 4},
     [](ValueId x, Graph* g) { return Product(x, {2, 2, 4}, {2, 4, 3}, {}, g); }},
    {"batches that stretch against each other",
     {3, 1, 2, 4},
     [](ValueId x, Graph* g) { return Product(x, {2, 4}, {2, 3, 4}, kRight, g); }},
    {"a matrix by a stack",
     {4, 2},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {2}, g)});
       return Flat(g->AddNode("MatMul", "y", {a, Parameter("b", {3, 4, 5}, g)}, kLeft), g);
     }},
    {"a vector by a stack",
     {3, 2},
     [](ValueId x, Graph* g) {
       const ValueId y =
           g->AddNode("MatMul", "y", {Parameter("v", {4}, g), Parameter("b", {3, 4, 2}, g)});
       return g->AddNode("Add", "sum", {x, y});
     }},
    {"a value by its own transpose",
     {3, 2, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {2, 4}, g)});
       return Flat(g->AddNode("MatMul", "y", {a, a}, kRight), g);
     }},
};

TEST_CASE("products of stacks agree with finite differences", "[gradient]") { CheckRules(kRules); }

}  // namespace
}  // namespace rm::graph
