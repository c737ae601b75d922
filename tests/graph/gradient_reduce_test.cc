// Sums, means and average pools, with parameters in front of them.
#include <catch2/catch.hpp>

#include "tests/graph/gradient_check.h"

namespace rm::graph {
namespace {

using kernels::Attributes;

// Images of 2 channels, 4 × 5, each pixel with a parameter of its own.
ValueId Image(ValueId x, Graph* g) {
  return g->AddNode("Add", "image", {x, Parameter("p", {2, 4, 5}, g)});
}

ValueId Reduced(const char* op, const Attributes& attributes, ValueId x, Graph* g) {
  return Flat(g->AddNode(op, "y", {Image(x, g)}, attributes), g);
}

const RuleCase kRules[] = {
    {"ReduceSum of the last axis",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) { return Reduced("ReduceSum", {{"axes", Ints{-1}}}, x, g); }},
    {"ReduceSum of axes that are no neighbours, dropped",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) {
       return Reduced("ReduceSum", {{"axes", Ints{1, 3}}, {"keepdims", int64_t{0}}}, x, g);
     }},
    {"ReduceMean of an image",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) {
       return Reduced("ReduceMean", {{"axes", Ints{2, 3}}, {"keepdims", int64_t{0}}}, x, g);
     }},
    {"ReduceMean of channels",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) { return Reduced("ReduceMean", {{"axes", Ints{1}}}, x, g); }},
    {"ReduceMax of an image",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) { return Reduced("ReduceMax", {{"axes", Ints{2, 3}}}, x, g); }},
    {"ReduceMax of a column, dropped",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) {
       return Reduced("ReduceMax", {{"axes", Ints{2}}, {"keepdims", int64_t{0}}}, x, g);
     }},
    {"GlobalAveragePool",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) { return Reduced("GlobalAveragePool", {}, x, g); }},
    {"AveragePool",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) {
       return Reduced("AveragePool", {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}, x,
                      g);
     }},
    {"AveragePool, overlapping, padded, dilated",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) {
       return Reduced("AveragePool",
                      {{"kernel_shape", Ints{3, 2}},
                       {"pads", Ints{1, 1, 2, 0}},
                       {"dilations", Ints{1, 2}}},
                      x, g);
     }},
    {"AveragePool that counts its padding",
     {kBatch, 2, 4, 5},
     [](ValueId x, Graph* g) {
       return Reduced("AveragePool",
                      {{"kernel_shape", Ints{2, 2}},
                       {"pads", Ints{1, 0, 0, 1}},
                       {"count_include_pad", int64_t{1}}},
                      x, g);
     }},
};

TEST_CASE("sums and means agree with finite differences", "[gradient]") { CheckRules(kRules); }

}  // namespace
}  // namespace rm::graph
