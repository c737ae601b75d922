#include "kernels/cpu/table.h"

#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

// Where an operator has several rows, the first that supports the layouts is taken. To add a
// kernel: its file, its line here, its functions in ops.h; the parity tests go over this table.
constexpr KernelEntry kTable[] = {
    {"Add", "vector_add", &SupportsAdd, &ChooseAddLayouts, &MakeAdd, 0},
    {"Conv", "onednn_conv", &SupportsConv, &ChooseConvLayouts, &MakeConv, -1},
    {"ConvGradInput", "onednn_conv_grad_input", &SupportsConvGradInput,
     &ChooseConvGradInputLayouts, &MakeConvGradInput, -1},
    {"ConvGradWeight", "vector_first_conv_grad_weight", &SupportsFirstConvGradWeight,
     &ChooseConvGradWeightLayouts, &MakeFirstConvGradWeight, -1},
    {"ConvGradWeight", "onednn_conv_grad_weight", &SupportsConvGradWeight,
     &ChooseConvGradWeightLayouts, &MakeConvGradWeight, -1},
    {"Gemm", "onednn_gemm", &SupportsGemm, nullptr, &MakeGemm, -1},
    {"MatMul", "onednn_matmul", &SupportsMatMul, nullptr, &MakeMatMul, -1},
    {"MaxPool", "vector_max_pool", &SupportsMaxPool, &ChooseMaxPoolLayouts, &MakeMaxPool, -1},
    {"MaxPoolGrad", "vector_max_pool_grad", &SupportsMaxPoolGrad, &ChooseMaxPoolGradLayouts,
     &MakeMaxPoolGrad, -1},
    {"ReduceSum", "vector_reduce_sum", &SupportsReduceSum, nullptr, &MakeReduceSum, -1},
    {"Relu", "vector_relu", &SupportsRelu, &ChooseReluLayouts, &MakeRelu, 0},
    {"ReluGrad", "vector_relu_grad", &SupportsReluGrad, &ChooseReluGradLayouts, &MakeReluGrad, 0},
    {"Reorder", "onednn_reorder", &SupportsReorder, &ChooseReorderLayouts, &MakeReorder, -1},
    {"SgdUpdate", "vector_sgd_update", &SupportsSgdUpdate, nullptr, &MakeSgdUpdate, 0},
    {"SoftmaxCrossEntropy", "vector_softmax_cross_entropy", &SupportsSoftmaxCrossEntropy, nullptr,
     &MakeSoftmaxCrossEntropy, -1},
    {"SoftmaxCrossEntropyGrad", "vector_softmax_cross_entropy_grad",
     &SupportsSoftmaxCrossEntropyGrad, nullptr, &MakeSoftmaxCrossEntropyGrad, 0},
};

}  // namespace

KernelTable Table() { return kTable; }

}  // namespace rm::kernels::cpu
