#include "kernels/cpu/table.h"

#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

// Where an operator has several rows, the first that supports the layouts is taken. To add a
// kernel: its file, its line here, its functions in ops.h; the parity tests go over this table.
constexpr KernelEntry kTable[] = {
    {"Add", "vector_add", &SupportsAdd, &ChooseAddLayouts, &MakeAdd, 0},
    {"BatchNormGrad", "vector_batch_norm_grad", &SupportsBatchNorm, &ChooseBatchNormGradLayouts,
     &MakeBatchNormGrad, 0},
    {"BatchNormTraining", "vector_batch_norm_training", &SupportsBatchNorm,
     &ChooseBatchNormLayouts, &MakeBatchNormTraining, -1},
    {"BatchNormalization", "vector_batch_norm", &SupportsBatchNorm, &ChooseBatchNormLayouts,
     &MakeBatchNorm, 0},
    {"Conv", "onednn_conv", &SupportsConv, &ChooseConvLayouts, &MakeConv, -1},
    {"ConvGradInput", "onednn_conv_grad_input", &SupportsConvGradInput,
     &ChooseConvGradInputLayouts, &MakeConvGradInput, -1},
    {"ConvGradWeight", "vector_first_conv_grad_weight", &SupportsFirstConvGradWeight,
     &ChooseConvGradWeightLayouts, &MakeFirstConvGradWeight, -1},
    {"ConvGradWeight", "onednn_conv_grad_weight", &SupportsConvGradWeight,
     &ChooseConvGradWeightLayouts, &MakeConvGradWeight, -1},
    {"Gemm", "onednn_gemm", &SupportsGemm, nullptr, &MakeGemm, -1},
    {"LayerNormGrad", "vector_layer_norm_grad", &SupportsLayerNormGrad, nullptr,
     &MakeLayerNormGrad, 0},
    {"LayerNormalization", "vector_layer_norm", &SupportsLayerNorm, nullptr, &MakeLayerNorm, -1},
    {"LogSoftmax", "vector_log_softmax", &SupportsSoftmax, nullptr, &MakeSoftmax, -1},
    {"LogSoftmaxGrad", "vector_log_softmax_grad", &SupportsSoftmaxGrad, nullptr, &MakeSoftmaxGrad,
     0},
    {"MatMul", "onednn_matmul", &SupportsMatMul, nullptr, &MakeMatMul, -1},
    {"MaxPool", "vector_max_pool", &SupportsMaxPool, &ChooseMaxPoolLayouts, &MakeMaxPool, -1},
    {"MaxPoolGrad", "vector_max_pool_grad", &SupportsMaxPoolGrad, &ChooseMaxPoolGradLayouts,
     &MakeMaxPoolGrad, -1},
    {"ReduceSum", "vector_reduce_sum", &SupportsReduceSum, nullptr, &MakeReduceSum, -1},
    {"Relu", "vector_relu", &SupportsRelu, &ChooseReluLayouts, &MakeRelu, 0},
    {"ReluGrad", "vector_relu_grad", &SupportsReluGrad, &ChooseReluGradLayouts, &MakeReluGrad, 0},
    {"Reorder", "onednn_reorder", &SupportsReorder, &ChooseReorderLayouts, &MakeReorder, -1},
    {"SgdUpdate", "vector_sgd_update", &SupportsSgdUpdate, nullptr, &MakeSgdUpdate, 0},
    {"Softmax", "vector_softmax", &SupportsSoftmax, nullptr, &MakeSoftmax, -1},
    {"SoftmaxCrossEntropy", "vector_softmax_cross_entropy", &SupportsSoftmaxCrossEntropy, nullptr,
     &MakeSoftmaxCrossEntropy, -1},
    {"SoftmaxCrossEntropyGrad", "vector_softmax_cross_entropy_grad",
     &SupportsSoftmaxCrossEntropyGrad, nullptr, &MakeSoftmaxCrossEntropyGrad, 0},
    {"SoftmaxGrad", "vector_softmax_grad", &SupportsSoftmaxGrad, nullptr, &MakeSoftmaxGrad, 0},
};

}  // namespace

KernelTable Table() { return kTable; }

}  // namespace rm::kernels::cpu
