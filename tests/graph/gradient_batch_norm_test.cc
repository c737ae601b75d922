// Batch normalisation in training, with parameters in front of it and behind it.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "tests/graph/gradient_check.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

const Attributes kRelu{{"activation", std::string("relu")}, {"epsilon", 0.01F}};

// A convolution, whose gradient goes through the normalisation of its 3 channels.
ValueId Convolved(const char* name, ValueId x, Graph* g) {
  const std::string w = absl::StrCat(name, ".w");
  return g->AddNode("Conv", name, {x, Parameter(w.c_str(), {3, 2, 2, 2}, g)});
}

// The normalisation as the training pass of a model makes it: with its statistics.
ValueId Normalized(ValueId x, const Attributes& attributes, ValueId residual, Graph* g) {
  std::vector<ValueId> inputs{x, Parameter("factor", {3}, g), Parameter("bias", {3}, g)};
  if (residual != kNoValue) inputs.push_back(residual);
  return g->AddNodeWithOutputs("BatchNormTraining", "bn", inputs, 4, attributes)[0];
}

// The form for inference, between layers that are trained.
ValueId Standing(ValueId x, const Attributes& attributes, Graph* g) {
  const ValueId mean = g->AddConstant("mean", {3}, {0.1F, -0.2F, 0.3F});
  const ValueId variance = g->AddConstant("variance", {3}, {0.5F, 1.5F, 0.9F});
  return g->AddNode("BatchNormalization", "bn",
                    {x, Parameter("factor", {3}, g), Parameter("bias", {3}, g), mean, variance},
                    attributes);
}

// A product behind it: without one the loss of a matrix of logits would be all there is.
ValueId Logits(ValueId x, int64_t elements, Graph* g) {
  return g->AddNode("Gemm", "y", {Flat(x, g), Parameter("v", {elements, 3}, g)});
}

const RuleCase kRules[] = {
    {"BatchNormTraining of images",
     {kBatch, 2, 3, 4},
     [](ValueId x, Graph* g) {
       return Logits(Normalized(Convolved("conv", x, g), {{"epsilon", 0.01F}}, kNoValue, g), 18,
                     g);
     }},
    {"BatchNormTraining of a matrix",
     {kBatch, 3},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("MatMul", "a", {x, Parameter("w", {3, 3}, g)});
       return g->AddNode("MatMul", "y",
                         {Normalized(a, {{"epsilon", 0.1F}}, kNoValue, g),
                          Parameter("v", {3, 3}, g)});
     }},
    {"BatchNormalization of images, with statistics that stand",
     {kBatch, 2, 3, 4},
     [](ValueId x, Graph* g) { return Logits(Standing(Convolved("conv", x, g), {}, g), 18, g); }},
    {"BatchNormalization of a matrix, with a relu",
     {kBatch, 3},
     [](ValueId x, Graph* g) {
       const ValueId a = g->AddNode("MatMul", "a", {x, Parameter("w", {3, 3}, g)});
       return g->AddNode("MatMul", "y", {Standing(a, kRelu, g), Parameter("v", {3, 3}, g)});
     }},
    {"BatchNormTraining with a relu",
     {kBatch, 2, 3, 4},
     [](ValueId x, Graph* g) {
       return Logits(Normalized(Convolved("conv", x, g), kRelu, kNoValue, g), 18, g);
     }},
    {"BatchNormTraining with a residual and a relu",
     {kBatch, 2, 3, 4},
     [](ValueId x, Graph* g) {
       const ValueId residual = Convolved("other", x, g);
       return Logits(Normalized(Convolved("conv", x, g), kRelu, residual, g), 18, g);
     }},
    {"BatchNormTraining, statistics unread, relu and residual as nodes of their own",
     {kBatch, 2, 3, 4},
     [](ValueId x, Graph* g) {
       const ValueId conv = Convolved("conv", x, g);
       const ValueId bn = g->AddNode("BatchNormTraining", "bn",
                                     {conv, Parameter("factor", {3}, g), Parameter("b", {3}, g)},
                                     {{"epsilon", 0.01F}});
       const ValueId sum = g->AddNode("Add", "sum", {bn, Convolved("other", x, g)});
       return Logits(g->AddNode("Relu", "relu", {sum}), 18, g);
     }},
};

TEST_CASE("batch normalisation agrees with finite differences", "[gradient]") {
  CheckRules(kRules);
}

}  // namespace
}  // namespace rm::graph
