// The table of gradients. How to add an operator: kernels/api/op_signature.cc.
#include "runtime/graph/ops/op_rule.h"
#include "runtime/graph/ops/rules.h"

namespace rm::graph {
namespace {

// op, trait, gradient. Operators of the backward pass have no gradient.
constexpr OpRule kOps[] = {
    {"Abs", OpTrait::kElementwise, &DifferentiateByOperand},
    {"AbsGrad", OpTrait::kElementwise, nullptr},
    {"Add", OpTrait::kElementwise, &DifferentiateAdd},
    {"AveragePool", OpTrait::kNone, &DifferentiateAveragePool},
    {"BatchNormTraining", OpTrait::kNone, &DifferentiateBatchNormTraining},
    {"BatchNormalization", OpTrait::kNone, &DifferentiateBatchNormalization},
    {"Cast", OpTrait::kElementwise, &DifferentiateCast},
    {"Clip", OpTrait::kElementwise, &DifferentiateByOperand},
    {"ClipGrad", OpTrait::kElementwise, nullptr},
    {"Concat", OpTrait::kNone, &DifferentiateConcat},
    {"Conv", OpTrait::kNone, &DifferentiateConv},
    {"ConvTranspose", OpTrait::kNone, &DifferentiateConvTranspose},
    {"Cos", OpTrait::kElementwise, &DifferentiateCos},
    {"Div", OpTrait::kElementwise, &DifferentiateDiv},
    {"Dropout", OpTrait::kView, &DifferentiateView},
    {"DropoutTraining", OpTrait::kNone, &DifferentiateDropoutTraining},
    {"Elu", OpTrait::kElementwise, &DifferentiateByOperand},
    {"EluGrad", OpTrait::kElementwise, nullptr},
    {"Erf", OpTrait::kElementwise, &DifferentiateByOperand},
    {"ErfGrad", OpTrait::kElementwise, nullptr},
    {"Exp", OpTrait::kElementwise, &DifferentiateExp},
    {"Expand", OpTrait::kNone, &DifferentiateExpand},
    {"Flatten", OpTrait::kView, &DifferentiateView},
    {"Gather", OpTrait::kNone, &DifferentiateGather},
    {"GatherElements", OpTrait::kNone, &DifferentiateGather},
    {"GatherND", OpTrait::kNone, &DifferentiateGather},
    {"Gelu", OpTrait::kElementwise, &DifferentiateByOperand},
    {"GeluGrad", OpTrait::kElementwise, nullptr},
    {"Gemm", OpTrait::kNone, &DifferentiateGemm},
    {"GlobalAveragePool", OpTrait::kNone, &DifferentiateGlobalAveragePool},
    {"HardSigmoid", OpTrait::kElementwise, &DifferentiateByResult},
    {"HardSigmoidGrad", OpTrait::kElementwise, nullptr},
    {"HardSwish", OpTrait::kElementwise, &DifferentiateByOperand},
    {"HardSwishGrad", OpTrait::kElementwise, nullptr},
    {"LSTM", OpTrait::kNone, &DifferentiateLstm},
    {"LayerNormalization", OpTrait::kNone, &DifferentiateLayerNormalization},
    {"LeakyRelu", OpTrait::kElementwise, &DifferentiateByOperand},
    {"LeakyReluGrad", OpTrait::kElementwise, nullptr},
    {"Log", OpTrait::kElementwise, &DifferentiateLog},
    {"LogSoftmax", OpTrait::kNone, &DifferentiateLogSoftmax},
    {"MatMul", OpTrait::kNone, &DifferentiateMatMul},
    {"Max", OpTrait::kElementwise, &DifferentiateExtremum},
    {"MaxPool", OpTrait::kNone, &DifferentiateMaxPool},
    {"MeanSquaredError", OpTrait::kNone, &DifferentiateMeanSquaredError},
    {"Min", OpTrait::kElementwise, &DifferentiateExtremum},
    {"Mul", OpTrait::kElementwise, &DifferentiateMul},
    {"Neg", OpTrait::kElementwise, &DifferentiateNeg},
    {"Pow", OpTrait::kElementwise, &DifferentiatePow},
    {"PowGrad", OpTrait::kElementwise, nullptr},
    {"Reciprocal", OpTrait::kElementwise, &DifferentiateByResult},
    {"ReciprocalGrad", OpTrait::kElementwise, nullptr},
    {"ReduceMax", OpTrait::kNone, &DifferentiateReduceMax},
    {"ReduceMean", OpTrait::kNone, &DifferentiateReduceMean},
    {"ReduceSum", OpTrait::kNone, &DifferentiateReduceSum},
    {"Relu", OpTrait::kElementwise, &DifferentiateByResult},
    {"ReluGrad", OpTrait::kElementwise, nullptr},
    {"Reshape", OpTrait::kView, &DifferentiateView},
    {"Sigmoid", OpTrait::kElementwise, &DifferentiateByResult},
    {"SigmoidCrossEntropy", OpTrait::kNone, &DifferentiateSigmoidCrossEntropy},
    {"SigmoidGrad", OpTrait::kElementwise, nullptr},
    {"Sin", OpTrait::kElementwise, &DifferentiateSin},
    {"Slice", OpTrait::kNone, &DifferentiateSlice},
    {"Softmax", OpTrait::kNone, &DifferentiateSoftmax},
    {"SoftmaxCrossEntropy", OpTrait::kNone, &DifferentiateSoftmaxCrossEntropy},
    {"Split", OpTrait::kNone, &DifferentiateSplit},
    {"Sqrt", OpTrait::kElementwise, &DifferentiateByResult},
    {"SqrtGrad", OpTrait::kElementwise, nullptr},
    {"Sub", OpTrait::kElementwise, &DifferentiateSub},
    {"Tanh", OpTrait::kElementwise, &DifferentiateByResult},
    {"TanhGrad", OpTrait::kElementwise, nullptr},
    {"Transpose", OpTrait::kNone, &DifferentiateTranspose},
    {"Trilu", OpTrait::kNone, &DifferentiateTrilu},
    {"Where", OpTrait::kElementwise, &DifferentiateWhere},
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
