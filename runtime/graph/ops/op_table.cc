// The table of operators. To add one: write its kernels, its rules in the family's file (declared
// in rules.h), and one line here; gradient and parity tests of tests/graph take it from a case or
// two.
#include "runtime/graph/ops/op_rule.h"
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// op, inputs, outputs, trait, shapes, gradient. Operators of the backward pass have no gradient.
constexpr OpRule kOps[] = {
    {"Add", {2, 2}, {1, 1}, OpTrait::kElementwise, &InferAdd, &DifferentiateAdd},
    {"Conv", {2, 3}, {1, 1}, OpTrait::kNone, &InferConv, &DifferentiateConv},
    {"ConvGradInput", {2, 2}, {1, 1}, OpTrait::kNone, &InferConvGradInput, nullptr},
    {"ConvGradWeight", {2, 2}, {1, 2}, OpTrait::kNone, &InferConvGradWeight, nullptr},
    {"CountCorrect", {3, 3}, {1, 1}, OpTrait::kNone, &InferCountCorrect, nullptr},
    {"Flatten", {1, 1}, {1, 1}, OpTrait::kView, &InferFlatten, &DifferentiateView},
    {"Gemm", {2, 3}, {1, 1}, OpTrait::kNone, &InferGemm, &DifferentiateGemm},
    {"MatMul", {2, 2}, {1, 1}, OpTrait::kNone, &InferMatMul, &DifferentiateMatMul},
    {"MaxPool", {1, 1}, {1, 2}, OpTrait::kNone, &InferMaxPool, &DifferentiateMaxPool},
    {"MaxPoolGrad", {2, 2}, {1, 1}, OpTrait::kNone, &InferMaxPoolGrad, nullptr},
    {"ReduceSum", {1, 1}, {1, 1}, OpTrait::kNone, &InferReduceSum, nullptr},
    {"Relu", {1, 1}, {1, 1}, OpTrait::kElementwise, &InferRelu, &DifferentiateRelu},
    {"ReluGrad", {2, 2}, {1, 1}, OpTrait::kElementwise, &InferReluGrad, nullptr},
    {"Reorder", {1, 1}, {1, 1}, OpTrait::kNone, &InferReorder, nullptr},
    {"Reshape", {1, 1}, {1, 1}, OpTrait::kView, &InferReshape, &DifferentiateView},
    {"SoftmaxCrossEntropy",
     {3, 3},
     {2, 2},
     OpTrait::kNone,
     &InferSoftmaxCrossEntropy,
     &DifferentiateSoftmaxCrossEntropy},
    {"SoftmaxCrossEntropyGrad",
     {4, 4},
     {1, 1},
     OpTrait::kNone,
     &InferSoftmaxCrossEntropyGrad,
     nullptr},
};

}  // namespace

absl::Span<const OpRule> OpTable() { return kOps; }

const OpRule* FindOp(absl::string_view op) {
  for (const OpRule& rule : kOps) {
    if (op == rule.op) return &rule;
  }
  return nullptr;
}

}  // namespace rm::graph
