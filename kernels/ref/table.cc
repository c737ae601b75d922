#include "kernels/ref/table.h"

#include "kernels/api/check_instance.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// The only rule of most rows: the reference computes whatever is legal, as long as it is plain.
// There is one row an operator; choose_layouts stays empty, which means plain everywhere.
bool Legal(const OpInstance& instance) { return CheckInstance(instance).ok(); }

bool LegalAndPlain(const OpInstance& instance) { return AllPlain(instance) && Legal(instance); }

// In place are the operators that read each element once, before they write it.
constexpr KernelEntry kTable[] = {
    {"Add", "ref_add", &LegalAndPlain, nullptr, &MakeAdd, -1},
    {"BatchNormGrad", "ref_batch_norm_grad", &LegalAndPlain, nullptr, &MakeBatchNormGrad, 0},
    {"BatchNormTraining", "ref_batch_norm_training", &LegalAndPlain, nullptr,
     &MakeBatchNormTraining, -1},
    {"BatchNormalization", "ref_batch_norm", &LegalAndPlain, nullptr, &MakeBatchNorm, 0},
    {"Conv", "ref_conv", &LegalAndPlain, nullptr, &MakeConv, -1},
    {"ConvGradInput", "ref_conv_grad_input", &LegalAndPlain, nullptr, &MakeConvGradInput, -1},
    {"ConvGradWeight", "ref_conv_grad_weight", &LegalAndPlain, nullptr, &MakeConvGradWeight, -1},
    {"CountCorrect", "ref_count_correct", &LegalAndPlain, nullptr, &MakeCountCorrect, -1},
    {"Flatten", "ref_flatten", &LegalAndPlain, nullptr, &MakeCopy, 0},
    {"Gemm", "ref_gemm", &LegalAndPlain, nullptr, &MakeGemm, -1},
    {"LayerNormGrad", "ref_layer_norm_grad", &LegalAndPlain, nullptr, &MakeLayerNormGrad, 0},
    {"LayerNormalization", "ref_layer_norm", &LegalAndPlain, nullptr, &MakeLayerNorm, -1},
    {"LogSoftmax", "ref_log_softmax", &LegalAndPlain, nullptr, &MakeSoftmax, -1},
    {"LogSoftmaxGrad", "ref_log_softmax_grad", &LegalAndPlain, nullptr, &MakeSoftmaxGrad, 0},
    {"MatMul", "ref_matmul", &LegalAndPlain, nullptr, &MakeMatMul, -1},
    {"MaxPool", "ref_max_pool", &LegalAndPlain, nullptr, &MakeMaxPool, -1},
    {"MaxPoolGrad", "ref_max_pool_grad", &LegalAndPlain, nullptr, &MakeMaxPoolGrad, -1},
    {"ReduceSum", "ref_reduce_sum", &LegalAndPlain, nullptr, &MakeReduceSum, -1},
    {"Relu", "ref_relu", &LegalAndPlain, nullptr, &MakeRelu, 0},
    {"ReluGrad", "ref_relu_grad", &LegalAndPlain, nullptr, &MakeReluGrad, 0},
    {"Reorder", "ref_reorder", &Legal, nullptr, &MakeReorder, -1},
    {"Reshape", "ref_reshape", &LegalAndPlain, nullptr, &MakeCopy, 0},
    {"SgdUpdate", "ref_sgd_update", &LegalAndPlain, nullptr, &MakeSgdUpdate, 0},
    {"Softmax", "ref_softmax", &LegalAndPlain, nullptr, &MakeSoftmax, -1},
    {"SoftmaxCrossEntropy", "ref_softmax_cross_entropy", &LegalAndPlain, nullptr,
     &MakeSoftmaxCrossEntropy, -1},
    {"SoftmaxCrossEntropyGrad", "ref_softmax_cross_entropy_grad", &LegalAndPlain, nullptr,
     &MakeSoftmaxCrossEntropyGrad, 0},
    {"SoftmaxGrad", "ref_softmax_grad", &LegalAndPlain, nullptr, &MakeSoftmaxGrad, 0},
};

}  // namespace

KernelTable Table() { return kTable; }

}  // namespace rm::kernels::ref
