// Functions of one tensor and element-wise combinations, each with parameters in front of it.
#include <catch2/catch.hpp>

#include "tests/graph/gradient_check.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

// input · w + p: three numbers a sample, behind two parameters.
ValueId Before(ValueId x, Graph* g) {
  return g->AddNode("Gemm", "before", {x, Parameter("w", {4, 3}, g), Parameter("p", {3}, g)});
}

ValueId Of(const char* op, ValueId x, const Attributes& attributes, Graph* g) {
  return g->AddNode(op, "y", {x}, attributes);
}

// A function of anything.
ValueId Function(const char* op, ValueId x, Graph* g, const Attributes& attributes = {}) {
  return Of(op, Before(x, g), attributes, g);
}

// A function of what is above zero: of 1/2 + z².
ValueId OfPositive(const char* op, ValueId x, Graph* g) {
  const ValueId z = Before(x, g);
  const ValueId half = g->AddConstant("half", {}, {0.5F});
  const ValueId square = g->AddNode("Mul", "square", {z, z});
  return Of(op, g->AddNode("Add", "positive", {square, half}), {}, g);
}

// Three numbers a sample with a parameter of the given shape, on either side.
ValueId WithParameter(const char* op, ValueId x, kernels::Shape shape, bool left, Graph* g) {
  const ValueId q = Parameter("q", std::move(shape), g);
  const ValueId z = Before(x, g);
  return g->AddNode(op, "y", left ? std::vector<ValueId>{q, z} : std::vector<ValueId>{z, q});
}

// The same above zero: the parameter squared, plus 1/2.
ValueId ByPositive(const char* op, ValueId x, kernels::Shape shape, Graph* g) {
  const ValueId q = Parameter("q", std::move(shape), g);
  const ValueId half = g->AddConstant("half", {}, {0.5F});
  const ValueId above =
      g->AddNode("Add", "above", {g->AddNode("Mul", "q2", {q, q}), half});
  return g->AddNode(op, "y", {Before(x, g), above});
}

const RuleCase kFunctions[] = {
    {"Abs", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Abs", x, g); }},
    {"Clip",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return Function("Clip", x, g, {{"min", -0.5F}, {"max", 0.7F}});
     }},
    {"Clip from above",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return Function("Clip", x, g, {{"max", 0.1F}});
     }},
    {"Cos", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Cos", x, g); }},
    {"Elu",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return Function("Elu", x, g, {{"alpha", 0.6F}});
     }},
    {"Erf", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Erf", x, g); }},
    {"Exp", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Exp", x, g); }},
    {"Gelu", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Gelu", x, g); }},
    {"Gelu by tanh",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return Function("Gelu", x, g, {{"approximate", std::string("tanh")}});
     }},
    {"HardSigmoid",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return Function("HardSigmoid", x, g, {{"alpha", 0.6F}, {"beta", 0.3F}});
     }},
    {"HardSwish", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("HardSwish", x, g); }},
    {"LeakyRelu",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return Function("LeakyRelu", x, g, {{"alpha", 0.2F}});
     }},
    {"Log", {kBatch, 4}, [](ValueId x, Graph* g) { return OfPositive("Log", x, g); }},
    {"Neg", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Neg", x, g); }},
    {"Reciprocal",
     {kBatch, 4},
     [](ValueId x, Graph* g) { return OfPositive("Reciprocal", x, g); }},
    {"Sigmoid", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Sigmoid", x, g); }},
    {"Sin", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Sin", x, g); }},
    {"Sqrt", {kBatch, 4}, [](ValueId x, Graph* g) { return OfPositive("Sqrt", x, g); }},
    {"Tanh", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Tanh", x, g); }},
    {"Cast to what it is",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return Function("Cast", x, g, {{"to", std::string("float32")}});
     }},
};

const RuleCase kPairs[] = {
    {"Sub",
     {kBatch, 4},
     [](ValueId x, Graph* g) { return WithParameter("Sub", x, {3}, false, g); }},
    {"Sub from a scalar",
     {kBatch, 4},
     [](ValueId x, Graph* g) { return WithParameter("Sub", x, {}, true, g); }},
    {"Mul", {kBatch, 4}, [](ValueId x, Graph* g) { return WithParameter("Mul", x, {3}, true, g); }},
    {"Mul by a scalar",
     {kBatch, 4},
     [](ValueId x, Graph* g) { return WithParameter("Mul", x, {1, 1}, false, g); }},
    {"Mul with itself",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId z = Before(x, g);
       return g->AddNode("Mul", "y", {z, z});
     }},
    {"Mul that makes both sides longer",
     {kBatch, 1, 4},
     [](ValueId x, Graph* g) {
       return Flat(g->AddNode("Mul", "y", {x, Parameter("q", {2, 1}, g)}), g);
     }},
    {"Div", {kBatch, 4}, [](ValueId x, Graph* g) { return ByPositive("Div", x, {3}, g); }},
    {"Div by a scalar",
     {kBatch, 4},
     [](ValueId x, Graph* g) { return ByPositive("Div", x, {}, g); }},
    {"Pow with whole exponents",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId powers = g->AddConstant("powers", {3}, {1, 2, 3});
       return g->AddNode("Pow", "y", {Before(x, g), powers});
     }},
    {"Pow with an exponent that is learnt",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return g->AddNode("Pow", "power", {OfPositive("Abs", x, g), Parameter("q", {}, g)});
     }},
    {"Max of two",
     {kBatch, 4},
     [](ValueId x, Graph* g) { return WithParameter("Max", x, {3}, false, g); }},
    {"Min of three",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return g->AddNode("Min", "y",
                         {Before(x, g), Parameter("q", {3}, g), Parameter("r", {}, g)});
     }},
    {"Max of one", {kBatch, 4}, [](ValueId x, Graph* g) { return Function("Max", x, g); }},
    {"Where by a comparison",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId z = Before(x, g);
       const ValueId q = Parameter("q", {3}, g);
       const ValueId r = Parameter("r", {1}, g);
       const ValueId less = g->AddNode("Less", "less", {z, q});
       const ValueId either = g->AddNode("Or", "either", {less, g->AddNode("IsNaN", "nan", {z})});
       const ValueId tripled = g->AddNode("Add", "more", {z, g->AddNode("Add", "twice", {z, z})});
       return g->AddNode("Where", "y", {either, tripled, r});
     }},
};

TEST_CASE("functions of one tensor agree with finite differences", "[gradient]") {
  CheckRules(kFunctions);
}

TEST_CASE("combinations of tensors agree with finite differences", "[gradient]") {
  CheckRules(kPairs);
}

}  // namespace
}  // namespace rm::graph
