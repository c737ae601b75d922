// The table of operators. To add one: say in op.h what it computes, write its rule in the family's
// file, and one line here; then its kernels (kernels/ref first) and its gradient
// (runtime/graph/ops). Parity and gradient tests take it from a case or two.
#include "kernels/api/op_signature.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/infer.h"
#include "kernels/api/shapes.h"

namespace rm::kernels {
namespace {

// op, inputs, outputs, rule.
constexpr OpSignature kSignatures[] = {
    {"Add", {2, 2}, {1, 1}, &InferAdd},
    {"BatchNormGrad", {5, 6}, {1, 3}, &InferBatchNormGrad},
    {"BatchNormTraining", {3, 4}, {1, 4}, &InferBatchNormTraining},
    {"BatchNormalization", {5, 5}, {1, 1}, &InferBatchNormalization},
    {"Conv", {2, 3}, {1, 1}, &InferConv},
    {"ConvGradInput", {2, 2}, {1, 1}, &InferConvGradInput},
    {"ConvGradWeight", {2, 2}, {1, 2}, &InferConvGradWeight},
    {"CountCorrect", {3, 3}, {1, 1}, &InferCountCorrect},
    {"Flatten", {1, 1}, {1, 1}, &InferFlatten},
    {"Gemm", {2, 3}, {1, 1}, &InferGemm},
    {"LayerNormGrad", {5, 5}, {1, 3}, &InferLayerNormGrad},
    {"LayerNormalization", {2, 3}, {1, 3}, &InferLayerNormalization},
    {"LogSoftmax", {1, 1}, {1, 1}, &InferSoftmax},
    {"LogSoftmaxGrad", {2, 2}, {1, 1}, &InferSoftmaxGrad},
    {"MatMul", {2, 2}, {1, 1}, &InferMatMul},
    {"MaxPool", {1, 1}, {1, 2}, &InferMaxPool},
    {"MaxPoolGrad", {2, 2}, {1, 1}, &InferMaxPoolGrad},
    {"ReduceSum", {1, 1}, {1, 1}, &InferReduceSum},
    {"Relu", {1, 1}, {1, 1}, &InferRelu},
    {"ReluGrad", {2, 2}, {1, 1}, &InferReluGrad},
    {"Reorder", {1, 1}, {1, 1}, &InferReorder},
    {"Reshape", {1, 1}, {1, 1}, &InferReshape},
    {"SgdUpdate", {4, 4}, {2, 2}, &InferSgdUpdate},
    {"Softmax", {1, 1}, {1, 1}, &InferSoftmax},
    {"SoftmaxCrossEntropy", {3, 3}, {2, 2}, &InferSoftmaxCrossEntropy},
    {"SoftmaxCrossEntropyGrad", {4, 4}, {1, 1}, &InferSoftmaxCrossEntropyGrad},
    {"SoftmaxGrad", {2, 2}, {1, 1}, &InferSoftmaxGrad},
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
  return signature->infer(instance);
}

}  // namespace rm::kernels
