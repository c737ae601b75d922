// LSTM with parameters for all of its operands. The input is (steps, batch, inputs) = (3, 2, 4);
// the logits are a matrix with one row a step.
#include <catch2/catch.hpp>

#include "tests/graph/gradient_check.h"

namespace rm::graph {
namespace {

// An LSTM of 2 hidden units in `directions` directions, all its operands trained.
std::vector<ValueId> Lstm(ValueId x, const std::string& direction, bool states, int outputs,
                          Graph* g) {
  const int64_t d = direction == "bidirectional" ? 2 : 1;
  const ValueId sum = g->AddNode("Add", "x", {x, Parameter("p", {3, 2, 4}, g)});
  std::vector<ValueId> inputs{sum, Parameter("w", {d, 8, 4}, g), Parameter("r", {d, 8, 2}, g),
                              Parameter("b", {d, 16}, g)};
  if (states) inputs.push_back(Parameter("h0", {d, 2, 2}, g));
  if (states) inputs.push_back(Parameter("c0", {d, 2, 2}, g));
  return g->AddNodeWithOutputs("LSTM", "lstm", inputs, outputs, {{"direction", direction}});
}

const RuleCase kRules[] = {
    {"LSTM, all hidden states",
     {3, 2, 4},
     [](ValueId x, Graph* g) { return Flat(Lstm(x, "forward", false, 1, g)[0], g); }},
    {"LSTM with given states, backwards",
     {3, 2, 4},
     [](ValueId x, Graph* g) { return Flat(Lstm(x, "reverse", true, 1, g)[0], g); }},
    {"LSTM in both directions, last states only",
     {3, 2, 4},
     [](ValueId x, Graph* g) {
       const std::vector<ValueId> y = Lstm(x, "bidirectional", true, 3, g);
       const ValueId last = g->AddNode("Add", "last", {y[1], y[2]});
       return g->AddNode("MatMul", "logits",
                         {Flat(last, g), Parameter("v", {4, 3}, g)});
     }},
    {"LSTM, all and last states",
     {3, 2, 4},
     [](ValueId x, Graph* g) {
       const std::vector<ValueId> y = Lstm(x, "forward", true, 3, g);
       return Flat(g->AddNode("Add", "both", {y[0], y[2]}), g);
     }},
};

TEST_CASE("LSTM agrees with finite differences", "[gradient]") { CheckRules(kRules); }

}  // namespace
}  // namespace rm::graph
