// The gradients of the first operators, of generated models and of the zoo's.
#include <catch2/catch.hpp>

#include "runtime/graph/random_model_testing.h"
#include "runtime/graph/training.h"
#include "runtime/zoo/zoo.h"
#include "tests/graph/gradient_check.h"

namespace rm::graph {
namespace {

ValueId Convolved(ValueId x, kernels::Shape w, kernels::Attributes attributes, Graph* graph) {
  const int64_t out = w[0];
  return graph->AddNode("Conv", "conv",
                        {x, Parameter("w", std::move(w), graph), Parameter("b", {out}, graph)},
                        std::move(attributes));
}

ValueId Pooled(ValueId x, kernels::Attributes attributes, Graph* graph) {
  const ValueId shift = Parameter("shift", {2, 5, 5}, graph);
  return Flat(graph->AddNode("MaxPool", "pool", {graph->AddNode("Add", "add", {x, shift})},
                             std::move(attributes)),
              graph);
}

// A transposed convolution of what a parameter is added to.
ValueId Transposed(ValueId x, kernels::Shape w, kernels::Attributes attributes, Graph* graph) {
  const ValueId before = graph->AddNode("Add", "before", {x, Parameter("p", {2, 1, 1}, graph)});
  return Flat(graph->AddNode("ConvTranspose", "y",
                             {before, Parameter("w", std::move(w), graph)}, std::move(attributes)),
              graph);
}

// Gemm with a parameter behind each operand.
ValueId FullGemm(ValueId x, kernels::Shape b, kernels::Shape c, kernels::Attributes attributes,
                 Graph* graph) {
  const ValueId a = graph->AddNode("Add", "a", {x, Parameter("p", {4}, graph)});
  return graph->AddNode(
      "Gemm", "gemm", {a, Parameter("b", std::move(b), graph), Parameter("c", std::move(c), graph)},
      std::move(attributes));
}

const RuleCase kRules[] = {
    {"Gemm",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {4, 3}, {3}, {}, g);
     }},
    {"Gemm transB, alpha, beta",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {3, 4}, {1, 3},
                       {{"transB", int64_t{1}}, {"alpha", 0.5F}, {"beta", -2.0F}}, g);
     }},
    {"Gemm with a scalar C",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {4, 3}, {}, {}, g);
     }},
    {"Gemm with a column C",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {4, 3}, {1, 1}, {{"beta", 3.0F}}, g);
     }},
    {"Gemm transA",
     {4, 3},
     [](ValueId x, Graph* g) {
       // (3, 4)ᵀ by (4, 3): the batch is the second dimension, 3.
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4, 1}, g)});
       return g->AddNode("Gemm", "gemm", {a, Parameter("b", {4, 3}, g)},
                         {{"transA", int64_t{1}}, {"alpha", 2.0F}});
     }},
    {"Gemm transA and transB",
     {4, 3},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4, 1}, g)});
       return g->AddNode("Gemm", "gemm", {a, Parameter("b", {3, 4}, g)},
                         {{"transA", int64_t{1}}, {"transB", int64_t{1}}});
     }},
    {"Gemm with an activation",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       return FullGemm(x, {4, 3}, {3}, {{"activation", std::string("relu")}}, g);
     }},
    {"MatMul of matrices",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4}, g)});
       return g->AddNode("MatMul", "y", {a, Parameter("w", {4, 3}, g)});
     }},
    {"MatMul of a stack by a matrix",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {2, 4}, g)});
       return Flat(g->AddNode("MatMul", "y", {a, Parameter("w", {4, 3}, g)}), g);
     }},
    {"MatMul of a stack by a vector",
     {kBatch, 2, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {2, 4}, g)});
       return g->AddNode("MatMul", "y", {a, Parameter("w", {4}, g)});
     }},
    {"MatMul of a vector by a matrix",
     {kBatch, 3},
     [](ValueId x, Graph* g) {
       const ValueId y =
           g->AddNode("MatMul", "y", {Parameter("v", {4}, g), Parameter("w", {4, 3}, g)});
       return g->AddNode("Add", "sum", {x, y});
     }},
    {"Conv",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       return Flat(Convolved(x, {3, 2, 3, 2}, {}, g), g);
     }},
    {"Conv, strided, padded, dilated",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       return Flat(
           Convolved(
               x, {3, 2, 2, 2},
               {{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 1, 2}}, {"dilations", Ints{1, 2}}}, g),
           g);
     }},
    {"Conv in groups, with an activation",
     {kBatch, 4, 3, 3},
     [](ValueId x, Graph* g) {
       return Flat(Convolved(x, {4, 2, 2, 2},
                             {{"group", int64_t{2}}, {"activation", std::string("relu")}}, g),
                   g);
     }},
    {"Conv after Conv",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       const ValueId first = Convolved(x, {3, 2, 2, 2}, {{"strides", Ints{2, 2}}}, g);
       return Flat(g->AddNode("Conv", "second", {first, Parameter("w2", {2, 3, 2, 2}, g)}), g);
     }},
    {"ConvTranspose, strided, padded, with rows behind its windows",
     {kBatch, 2, 3, 3},
     [](ValueId x, Graph* g) {
       return Transposed(x, {2, 3, 2, 3},
                         {{"strides", Ints{2, 3}},
                          {"pads", Ints{1, 0, 0, 2}},
                          {"output_padding", Ints{1, 2}}},
                         g);
     }},
    {"ConvTranspose in groups, dilated",
     {kBatch, 2, 2, 3},
     [](ValueId x, Graph* g) {
       return Transposed(x, {2, 2, 2, 2}, {{"group", int64_t{2}}, {"dilations", Ints{1, 2}}}, g);
     }},
    {"Add with broadcasting",
     {kBatch, 2, 3},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {Parameter("p", {2, 1}, g), x});
       const ValueId b = g->AddNode("Add", "b", {a, Parameter("q", {1, 1, 3}, g)});
       return Flat(g->AddNode("Add", "c", {b, Parameter("r", {}, g)}), g);
     }},
    // The gradients of p and q are one value, that of r is read by the rest of the backward pass.
    {"Add of parameters that have the batch's own shape",
     {3, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {3, 4}, g)});
       const ValueId b = g->AddNode("Add", "b", {a, Parameter("q", {3, 4}, g)});
       const ValueId y = g->AddNode("Gemm", "y", {b, Parameter("w", {4, 3}, g)});
       return g->AddNode("Add", "c", {y, Parameter("r", {3, 3}, g)});
     }},
    {"Add of a value to itself",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4}, g)});
       return g->AddNode("Add", "b", {a, a});
     }},
    {"Relu",
     {kBatch, 4},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {4}, g)});
       return g->AddNode("Relu", "relu", {a});
     }},
    {"MaxPool",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       return Pooled(x, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}, g);
     }},
    {"MaxPool, overlapping, padded, dilated",
     {kBatch, 2, 5, 5},
     [](ValueId x, Graph* g) {
       return Pooled(x,
                     {{"kernel_shape", Ints{3, 2}},
                      {"strides", Ints{1, 2}},
                      {"pads", Ints{1, 1, 2, 0}},
                      {"dilations", Ints{1, 2}}},
                     g);
     }},
    {"Reshape and Flatten",
     {kBatch, 2, 6},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("Add", "a", {x, Parameter("p", {2, 6}, g)});
       const ValueId b = g->AddNode("Reshape", "b", {a}, {{"shape", Ints{-1, 3, 4}}});
       const ValueId c = g->AddNode("Add", "c", {b, Parameter("q", {3, 1}, g)});
       return Flat(c, g);
     }},
};

TEST_CASE("every gradient rule agrees with finite differences", "[gradient]") {
  CheckRules(kRules);
}

TEST_CASE("generated models agree with finite differences", "[gradient]") {
  for (uint64_t seed = 0; seed < 150; ++seed) {
    INFO("seed " << seed);
    CheckGradients(RandomTrainingGraph(seed, false), 1 + static_cast<int64_t>(seed % 3), seed, 12);
  }
}

TEST_CASE("the models of the zoo agree with finite differences", "[gradient]") {
  struct Model {
    const char* name;
    std::map<std::string, double> params;
  };
  const Model models[] = {
      {"mlp", {{"hidden1", 9}, {"hidden2", 7}, {"height", 4}, {"width", 5}, {"classes", 3}}},
      {"convnet", {{"height", 6}, {"width", 7}, {"channels", 2}, {"classes", 4}}},
  };
  for (const Model& model : models) {
    INFO(model.name);
    auto graph = zoo::BuildModel(model.name, model.params);
    REQUIRE(graph.status() == absl::OkStatus());
    CheckGradients(WithLoss(*std::move(graph), 0.1F), 2, 1, 15);
  }
}

}  // namespace
}  // namespace rm::graph
