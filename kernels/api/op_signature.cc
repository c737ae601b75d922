// The table of operators. To add one: say in op.h what it computes, write its rule in the family's
// file, and one line here; then its kernels (kernels/ref first) and its gradient
// (runtime/graph/ops). Parity and gradient tests take it from a case or two.
#include "kernels/api/op_signature.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// Operands of Concat, Max, …: as many as a model may have.
constexpr int kMany = 1 << 16;

// op, inputs, outputs, rule.
constexpr OpSignature kSignatures[] = {
    {"Abs", {1, 1}, {1, 1}, &InferSigned},
    {"AbsGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"AdamUpdate", {5, 5}, {3, 3}, &InferAdamUpdate},
    {"Add", {2, 2}, {1, 1}, &InferArithmetic},
    {"And", {2, 2}, {1, 1}, &InferLogic},
    {"AveragePool", {1, 1}, {1, 1}, &InferAveragePool},
    {"AveragePoolGrad", {1, 1}, {1, 1}, &InferAveragePoolGrad},
    {"BatchNormGrad", {5, 6}, {1, 3}, &InferBatchNormGrad},
    {"BatchNormTraining", {3, 4}, {1, 4}, &InferBatchNormTraining},
    {"BatchNormalization", {5, 5}, {1, 1}, &InferBatchNormalization},
    {"Cast", {1, 1}, {1, 1}, &InferCast},
    {"Clip", {1, 1}, {1, 1}, &InferUnary},
    {"ClipGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Concat", {1, kMany}, {1, 1}, &InferConcat},
    {"Conv", {2, 3}, {1, 1}, &InferConv},
    {"ConvGradInput", {2, 2}, {1, 1}, &InferConvGradInput},
    {"ConvGradWeight", {2, 2}, {1, 2}, &InferConvGradWeight},
    {"ConvTranspose", {2, 2}, {1, 1}, &InferConvTranspose},
    {"Cos", {1, 1}, {1, 1}, &InferUnary},
    {"CountCorrect", {3, 3}, {1, 1}, &InferCountCorrect},
    {"Div", {2, 2}, {1, 1}, &InferArithmetic},
    {"Dropout", {1, 1}, {1, 1}, &InferDropout},
    {"DropoutTraining", {2, 2}, {1, 1}, &InferDropoutTraining},
    {"Elu", {1, 1}, {1, 1}, &InferUnary},
    {"EluGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Equal", {2, 2}, {1, 1}, &InferEqual},
    {"Erf", {1, 1}, {1, 1}, &InferUnary},
    {"ErfGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Exp", {1, 1}, {1, 1}, &InferUnary},
    {"Expand", {1, 1}, {1, 1}, &InferExpand},
    {"Flatten", {1, 1}, {1, 1}, &InferFlatten},
    {"Gather", {2, 2}, {1, 1}, &InferGather},
    {"GatherElements", {2, 2}, {1, 1}, &InferGatherElements},
    {"GatherElementsGrad", {2, 2}, {1, 1}, &InferGatherElementsGrad},
    {"GatherGrad", {2, 2}, {1, 1}, &InferGatherGrad},
    {"GatherND", {2, 2}, {1, 1}, &InferGatherND},
    {"GatherNDGrad", {2, 2}, {1, 1}, &InferGatherNDGrad},
    {"Gelu", {1, 1}, {1, 1}, &InferUnary},
    {"GeluGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Gemm", {2, 3}, {1, 1}, &InferGemm},
    {"GlobalAveragePool", {1, 1}, {1, 1}, &InferGlobalAveragePool},
    {"GlobalAveragePoolGrad", {1, 1}, {1, 1}, &InferGlobalAveragePoolGrad},
    {"Greater", {2, 2}, {1, 1}, &InferCompare},
    {"GreaterOrEqual", {2, 2}, {1, 1}, &InferCompare},
    {"HardSigmoid", {1, 1}, {1, 1}, &InferUnary},
    {"HardSigmoidGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"HardSwish", {1, 1}, {1, 1}, &InferUnary},
    {"HardSwishGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"IsNaN", {1, 1}, {1, 1}, &InferIsNaN},
    {"LSTM", {3, 6}, {1, 5}, &InferLstm},
    {"LSTMGrad", {5, 10}, {1, 6}, &InferLstmGrad},
    {"LayerNormGrad", {5, 5}, {1, 3}, &InferLayerNormGrad},
    {"LayerNormalization", {2, 3}, {1, 3}, &InferLayerNormalization},
    {"LeakyRelu", {1, 1}, {1, 1}, &InferUnary},
    {"LeakyReluGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Less", {2, 2}, {1, 1}, &InferCompare},
    {"LessOrEqual", {2, 2}, {1, 1}, &InferCompare},
    {"Log", {1, 1}, {1, 1}, &InferUnary},
    {"LogSoftmax", {1, 1}, {1, 1}, &InferSoftmax},
    {"LogSoftmaxGrad", {2, 2}, {1, 1}, &InferSoftmaxGrad},
    {"MatMul", {2, 2}, {1, 1}, &InferMatMul},
    {"Max", {1, kMany}, {1, 1}, &InferArithmetic},
    {"MaxPool", {1, 1}, {1, 2}, &InferMaxPool},
    {"MaxPoolGrad", {2, 2}, {1, 1}, &InferMaxPoolGrad},
    {"MeanSquaredError", {3, 3}, {1, 1}, &InferElementLoss},
    {"MeanSquaredErrorGrad", {4, 4}, {1, 1}, &InferElementLossGrad},
    {"Min", {1, kMany}, {1, 1}, &InferArithmetic},
    {"Mod", {2, 2}, {1, 1}, &InferMod},
    {"Mul", {2, 2}, {1, 1}, &InferArithmetic},
    {"Neg", {1, 1}, {1, 1}, &InferSigned},
    {"Not", {1, 1}, {1, 1}, &InferLogic},
    {"Or", {2, 2}, {1, 1}, &InferLogic},
    {"Pow", {2, 2}, {1, 1}, &InferPow},
    {"PowGrad", {3, 3}, {1, 1}, &InferPow},
    {"Reciprocal", {1, 1}, {1, 1}, &InferUnary},
    {"ReciprocalGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"ReduceMax", {1, 1}, {1, 1}, &InferReduce},
    {"ReduceMean", {1, 1}, {1, 1}, &InferReduce},
    {"ReduceMeanGrad", {1, 1}, {1, 1}, &InferReduceGrad},
    {"ReduceSum", {1, 1}, {1, 1}, &InferReduce},
    {"ReduceSumGrad", {1, 1}, {1, 1}, &InferReduceGrad},
    {"Relu", {1, 1}, {1, 1}, &InferUnary},
    {"ReluGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Reorder", {1, 1}, {1, 1}, &InferReorder},
    {"Reshape", {1, 1}, {1, 1}, &InferReshape},
    {"SgdUpdate", {4, 4}, {2, 2}, &InferSgdUpdate},
    {"Sigmoid", {1, 1}, {1, 1}, &InferUnary},
    {"SigmoidCrossEntropy", {3, 3}, {1, 1}, &InferElementLoss},
    {"SigmoidCrossEntropyGrad", {4, 4}, {1, 1}, &InferElementLossGrad},
    {"SigmoidGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Sin", {1, 1}, {1, 1}, &InferUnary},
    {"Slice", {1, 1}, {1, 1}, &InferSlice},
    {"SliceGrad", {1, 1}, {1, 1}, &InferSliceGrad},
    {"Softmax", {1, 1}, {1, 1}, &InferSoftmax},
    {"SoftmaxCrossEntropy", {3, 3}, {2, 2}, &InferSoftmaxCrossEntropy},
    {"SoftmaxCrossEntropyGrad", {4, 4}, {1, 1}, &InferSoftmaxCrossEntropyGrad},
    {"SoftmaxGrad", {2, 2}, {1, 1}, &InferSoftmaxGrad},
    {"Split", {1, 1}, {1, kMany}, &InferSplit},
    {"Sqrt", {1, 1}, {1, 1}, &InferUnary},
    {"SqrtGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Sub", {2, 2}, {1, 1}, &InferArithmetic},
    {"Tanh", {1, 1}, {1, 1}, &InferUnary},
    {"TanhGrad", {2, 2}, {1, 1}, &InferUnaryGrad},
    {"Transpose", {1, 1}, {1, 1}, &InferTranspose},
    {"Trilu", {1, 1}, {1, 1}, &InferTrilu},
    {"Where", {3, 3}, {1, 1}, &InferWhere},
};

// Trailing optional operands may be left out or be absent; required ones may not.
absl::Status CheckCount(absl::string_view what, const std::vector<Operand>& operands, Arity arity) {
  const int count = static_cast<int>(operands.size());
  if (count < arity.least || count > arity.most) {
    return Misfit("it has ", count, " ", what, ", it takes ", arity.least,
                  arity.most > arity.least ? absl::StrCat(" to ", arity.most) : "");
  }
  for (int i = 0; i < arity.least; ++i) {
    if (!operands[static_cast<size_t>(i)].present) return Misfit("it lacks one of its ", what);
  }
  return absl::OkStatus();
}

// Attributes of a few bytes (Expand, Reshape) may ask for any size. Beyond this none can be had,
// and products of dimensions would overflow.
constexpr int64_t kMostElements = int64_t{1} << 48;

absl::Status CheckSizes(const std::vector<Operand>& outputs) {
  for (const Operand& output : outputs) {
    int64_t count = 1;
    for (const int64_t dimension : output.type.shape) {
      if (dimension > kMostElements / count) {
        return Misfit("a result of shape ", ShapeString(output.type.shape), " is too large");
      }
      count *= std::max<int64_t>(dimension, 1);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Span<const OpSignature> OpSignatures() { return kSignatures; }

const OpSignature* FindOpSignature(absl::string_view op) {
  for (const OpSignature& signature : kSignatures) {
    if (op == signature.op) return &signature;
  }
  return nullptr;
}

absl::Status InferOutputs(OpInstance* instance) {
  const OpSignature* signature = FindOpSignature(instance->op);
  if (signature == nullptr) return Misfit("this operator is not known");
  RM_RETURN_IF_ERROR(CheckCount("inputs", instance->inputs, signature->inputs));
  RM_RETURN_IF_ERROR(CheckCount("outputs", instance->outputs, signature->outputs));
  RM_RETURN_IF_ERROR(signature->infer(instance));
  return CheckSizes(instance->outputs);
}

}  // namespace rm::kernels
