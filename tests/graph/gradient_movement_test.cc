// What moves elements, with a parameter in front of it and one behind.
#include <catch2/catch.hpp>

#include "tests/graph/gradient_check.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

// input + p, element by element of a sample.
ValueId Before(ValueId x, kernels::Shape shape, Graph* g) {
  return g->AddNode("Add", "before", {x, Parameter("p", std::move(shape), g)});
}

// One number for every element of the result, so that no two of them have the same gradient.
ValueId Behind(ValueId y, kernels::Shape shape, Graph* g) {
  return Flat(g->AddNode("Mul", "behind", {y, Parameter("q", std::move(shape), g)}), g);
}

// Of (batch, 2, 3): an operator and what it makes of a sample.
ValueId Of(const char* op, const Attributes& attributes, ValueId x, kernels::Shape result,
           Graph* g) {
  return Behind(g->AddNode(op, "y", {Before(x, {2, 3}, g)}, attributes), std::move(result), g);
}

Attributes Slice(Ints axes, Ints starts, Ints ends, Ints steps) {
  return {{"axes", axes}, {"starts", starts}, {"ends", ends}, {"steps", steps}};
}

// Rows of a parameter by constant indices, some of them twice.
ValueId Taken(const char* op, kernels::Shape data, kernels::Shape index, Ints places,
              const Attributes& attributes, ValueId x, Graph* g) {
  const ValueId table = Parameter("table", std::move(data), g);
  const ValueId indices =
      g->AddIntegerConstant("indices", kernels::DType::kInt64, std::move(index), std::move(places));
  return Flat(
      g->AddNode("Mul", "behind", {x, g->AddNode(op, "y", {table, indices}, attributes)}), g);
}

const RuleCase kRules[] = {
    {"Transpose",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       return Of("Transpose", {{"perm", Ints{0, 2, 1}}}, x, {3, 2}, g);
     }},
    {"Transpose of a parameter",
     {kBatch, 3},
     [](ValueId x, Graph* g) {
       const ValueId w = Parameter("w", {2, 3, 2}, g);
       const ValueId y = g->AddNode("Transpose", "y", {w}, {{"perm", Ints{1, 2, 0}}});
       const ValueId rows = g->AddNode("Reshape", "rows", {y}, {{"shape", Ints{3, 4}}});
       return g->AddNode("MatMul", "z", {x, rows});
     }},
    {"Concat",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       const ValueId a = Before(x, {2, 3}, g);
       const ValueId y = g->AddNode("Concat", "y", {a, x, a}, {{"axis", int64_t{2}}});
       return Behind(y, {2, 9}, g);
     }},
    {"Split with all parts in use",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       const auto parts =
           g->AddNodeWithOutputs("Split", "y", {Before(x, {2, 3}, g)}, 2,
                                 {{"axis", int64_t{2}}, {"split", Ints{2, 1}}});
       return Behind(g->AddNode("Mul", "product", {parts[0], parts[1]}), {2, 2}, g);
     }},
    {"Split with one part in use",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       const auto parts =
           g->AddNodeWithOutputs("Split", "y", {Before(x, {2, 3}, g)}, 3,
                                 {{"axis", int64_t{2}}, {"split", Ints{1, 1, 1}}});
       return Behind(g->AddNode("Add", "sum", {parts[1], parts[2]}), {2, 1}, g);
     }},
    {"Slice",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) { return Of("Slice", Slice({2}, {1}, {3}, {1}), x, {2, 2}, g); }},
    {"Slice backwards and in steps",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       return Of("Slice", Slice({1, 2}, {1, 0}, {-1, 3}, {-1, 2}), x, {2, 2}, g);
     }},
    {"Slice of gates, and their Concat",
     {kBatch, 3},
     [](ValueId x, Graph* g) {
       // As an export of nn.LSTM reorders its weights.
       const ValueId w = Parameter("w", {6, 3}, g);
       const ValueId first = g->AddNode("Slice", "first", {w}, Slice({0}, {0}, {2}, {1}));
       const ValueId rest = g->AddNode("Slice", "rest", {w}, Slice({0}, {2}, {6}, {1}));
       const ValueId all = g->AddNode("Concat", "all", {rest, first}, {{"axis", int64_t{0}}});
       return g->AddNode("Gemm", "y", {x, all}, {{"transB", int64_t{1}}});
     }},
    {"Expand",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       const ValueId y =
           g->AddNode("Expand", "y", {Parameter("w", {2, 1}, g)}, {{"shape", Ints{2, 3}}});
       return Flat(g->AddNode("Mul", "behind", {x, y}), g);
     }},
    {"Trilu",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       return Of("Trilu", {{"upper", int64_t{0}}, {"k", int64_t{1}}}, x, {2, 3}, g);
     }},
    {"Gather of rows",
     {kBatch, 3, 2},
     [](ValueId x, Graph* g) { return Taken("Gather", {4, 2}, {3}, {2, 0, 2}, {}, x, g); }},
    {"Gather along another axis",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       return Taken("Gather", {2, 4}, {3}, {-1, 0, 3}, {{"axis", int64_t{1}}}, x, g);
     }},
    {"GatherElements",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       return Taken("GatherElements", {2, 4}, {2, 3}, {0, 1, 1, 3, -4, 0}, {{"axis", int64_t{1}}},
                    x, g);
     }},
    {"GatherND",
     {kBatch, 3},
     [](ValueId x, Graph* g) {
       return Taken("GatherND", {2, 4}, {3, 2}, {0, 0, 1, 3, 0, -4}, {}, x, g);
     }},
};

TEST_CASE("what moves elements agrees with finite differences", "[gradient]") {
  CheckRules(kRules);
}

}  // namespace
}  // namespace rm::graph
