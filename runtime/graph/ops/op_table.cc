// The table of gradients. How to add an operator: kernels/api/op_signature.cc.
#include "runtime/graph/ops/op_rule.h"
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// op, trait, gradient. Operators of the backward pass have no gradient.
constexpr OpRule kOps[] = {
    {"Add", OpTrait::kElementwise, &DifferentiateAdd},
    {"BatchNormTraining", OpTrait::kNone, &DifferentiateBatchNormTraining},
    {"Conv", OpTrait::kNone, &DifferentiateConv},
    {"Flatten", OpTrait::kView, &DifferentiateView},
    {"Gemm", OpTrait::kNone, &DifferentiateGemm},
    {"LayerNormalization", OpTrait::kNone, &DifferentiateLayerNormalization},
    {"LogSoftmax", OpTrait::kNone, &DifferentiateLogSoftmax},
    {"MatMul", OpTrait::kNone, &DifferentiateMatMul},
    {"MaxPool", OpTrait::kNone, &DifferentiateMaxPool},
    {"Relu", OpTrait::kElementwise, &DifferentiateRelu},
    {"ReluGrad", OpTrait::kElementwise, nullptr},
    {"Reshape", OpTrait::kView, &DifferentiateView},
    {"Softmax", OpTrait::kNone, &DifferentiateSoftmax},
    {"SoftmaxCrossEntropy", OpTrait::kNone, &DifferentiateSoftmaxCrossEntropy},
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
