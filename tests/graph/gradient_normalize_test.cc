// Operators that normalise, each with parameters in front of it and behind it.
#include <catch2/catch.hpp>

#include "tests/graph/gradient_check.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

// input · w: a parameter in front, whose gradient goes through the operator.
ValueId Before(ValueId x, Graph* g) {
  return g->AddNode("MatMul", "before", {x, Parameter("w", {4, 4}, g)});
}

// One operand, its axis, and a product behind it, without which softmax of logits would be flat.
ValueId Between(const char* op, int64_t axis, ValueId x, Graph* g) {
  const ValueId y = g->AddNode(op, "y", {Before(x, g)}, {{"axis", axis}});
  return Flat(g->AddNode("MatMul", "after", {y, Parameter("v", {4, 3}, g)}), g);
}

ValueId LayerNorm(ValueId x, const Attributes& attributes, bool bias, Graph* g) {
  std::vector<ValueId> inputs{Before(x, g), Parameter("factor", {4}, g)};
  if (bias) inputs.push_back(Parameter("bias", {4}, g));
  return Flat(g->AddNode("LayerNormalization", "y", inputs, attributes), g);
}

const RuleCase kRules[] = {
    {"Softmax",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) { return Between("Softmax", -1, x, g); }},
    {"Softmax along another axis",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) { return Between("Softmax", 1, x, g); }},
    {"LogSoftmax",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) { return Between("LogSoftmax", 2, x, g); }},
    {"LogSoftmax along another axis",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) { return Between("LogSoftmax", 1, x, g); }},
    {"LayerNormalization",
     {kBatch, 4},
     [](ValueId x, Graph* g) { return LayerNorm(x, {}, true, g); }},
    {"LayerNormalization without a bias, with a large epsilon",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) { return LayerNorm(x, {{"epsilon", 0.5F}}, false, g); }},
    {"LayerNormalization of several dimensions",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) {
       return Flat(g->AddNode("LayerNormalization", "y",
                              {Before(x, g), Parameter("factor", {2, 4}, g),
                               Parameter("bias", {2, 4}, g)},
                              {{"axis", int64_t{1}}}),
                   g);
     }},
    {"LayerNormalization behind which only the scale is trained",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return g->AddNode("LayerNormalization", "y", {x, Parameter("factor", {4}, g)});
     }},
};

TEST_CASE("operators that normalise agree with finite differences", "[gradient]") {
  CheckRules(kRules);
}

}  // namespace
}  // namespace rm::graph
