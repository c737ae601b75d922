#include "kernels/cpu/table.h"

#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

// Where an operator has several rows, the first that supports the layouts is taken. To add a
// kernel: its file, its line here, its functions in ops.h; the parity tests go over this table.
constexpr KernelEntry kTable[] = {
    {"Abs", "vector_abs", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"Add", "vector_add", &SupportsPair, &ChoosePairLayouts, &MakePair, 0},
    {"BatchNormGrad", "vector_batch_norm_grad", &SupportsBatchNorm, &ChooseBatchNormGradLayouts,
     &MakeBatchNormGrad, 0},
    {"BatchNormTraining", "vector_batch_norm_training", &SupportsBatchNorm,
     &ChooseBatchNormLayouts, &MakeBatchNormTraining, -1},
    {"BatchNormalization", "vector_batch_norm", &SupportsBatchNorm, &ChooseBatchNormLayouts,
     &MakeBatchNorm, 0},
    {"Concat", "vector_concat", &SupportsMovement, nullptr, &MakeConcat, -1},
    {"Conv", "onednn_conv", &SupportsConv, &ChooseConvLayouts, &MakeConv, -1},
    {"ConvGradInput", "onednn_conv_grad_input", &SupportsConvGradInput,
     &ChooseConvGradInputLayouts, &MakeConvGradInput, -1},
    {"ConvGradWeight", "vector_first_conv_grad_weight", &SupportsFirstConvGradWeight,
     &ChooseConvGradWeightLayouts, &MakeFirstConvGradWeight, -1},
    {"ConvGradWeight", "onednn_conv_grad_weight", &SupportsConvGradWeight,
     &ChooseConvGradWeightLayouts, &MakeConvGradWeight, -1},
    {"Div", "vector_div", &SupportsPair, &ChoosePairLayouts, &MakePair, 0},
    {"Erf", "vector_erf", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"ErfGrad", "vector_erf_grad", &SupportsSlope, &ChooseSlopeLayouts, &MakeSlope, 0},
    {"Exp", "vector_exp", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"Expand", "vector_expand", &SupportsMovement, nullptr, &MakeExpand, -1},
    {"Gather", "vector_gather", &SupportsGather, nullptr, &MakeGather, -1},
    {"GatherGrad", "vector_gather_grad", &SupportsGather, nullptr, &MakeGatherGrad, -1},
    {"Gelu", "vector_gelu", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"GeluGrad", "vector_gelu_grad", &SupportsSlope, &ChooseSlopeLayouts, &MakeSlope, 0},
    {"Gemm", "onednn_gemm", &SupportsGemm, nullptr, &MakeGemm, -1},
    {"HardSwish", "vector_hard_swish", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"HardSwishGrad", "vector_hard_swish_grad", &SupportsSlope, &ChooseSlopeLayouts, &MakeSlope, 0},
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
    {"Mul", "vector_mul", &SupportsPair, &ChoosePairLayouts, &MakePair, 0},
    {"Neg", "vector_neg", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"Pow", "vector_pow", &SupportsPow, nullptr, &MakePow, 0},
    {"Reciprocal", "vector_reciprocal", &SupportsFunction, &ChooseFunctionLayouts,
     &MakeFunction, 0},
    {"ReciprocalGrad", "vector_reciprocal_grad", &SupportsSlope, &ChooseSlopeLayouts,
     &MakeSlope, 0},
    {"ReduceSum", "vector_reduce_sum", &SupportsReduceSum, nullptr, &MakeReduceSum, -1},
    {"Relu", "vector_relu", &SupportsRelu, &ChooseReluLayouts, &MakeRelu, 0},
    {"ReluGrad", "vector_relu_grad", &SupportsReluGrad, &ChooseReluGradLayouts, &MakeReluGrad, 0},
    {"Reorder", "onednn_reorder", &SupportsReorder, &ChooseReorderLayouts, &MakeReorder, -1},
    {"SgdUpdate", "vector_sgd_update", &SupportsSgdUpdate, nullptr, &MakeSgdUpdate, 0},
    {"Sigmoid", "vector_sigmoid", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"SigmoidGrad", "vector_sigmoid_grad", &SupportsSlope, &ChooseSlopeLayouts, &MakeSlope, 0},
    {"Slice", "vector_slice", &SupportsMovement, nullptr, &MakeSlice, -1},
    {"SliceGrad", "vector_slice_grad", &SupportsMovement, nullptr, &MakeSliceGrad, -1},
    {"Softmax", "vector_softmax", &SupportsSoftmax, nullptr, &MakeSoftmax, -1},
    {"SoftmaxCrossEntropy", "vector_softmax_cross_entropy", &SupportsSoftmaxCrossEntropy, nullptr,
     &MakeSoftmaxCrossEntropy, -1},
    {"SoftmaxCrossEntropyGrad", "vector_softmax_cross_entropy_grad",
     &SupportsSoftmaxCrossEntropyGrad, nullptr, &MakeSoftmaxCrossEntropyGrad, 0},
    {"SoftmaxGrad", "vector_softmax_grad", &SupportsSoftmaxGrad, nullptr, &MakeSoftmaxGrad, 0},
    {"Split", "vector_split", &SupportsMovement, nullptr, &MakeSplit, -1},
    {"Sqrt", "vector_sqrt", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"SqrtGrad", "vector_sqrt_grad", &SupportsSlope, &ChooseSlopeLayouts, &MakeSlope, 0},
    {"Sub", "vector_sub", &SupportsPair, &ChoosePairLayouts, &MakePair, 0},
    {"Tanh", "vector_tanh", &SupportsFunction, &ChooseFunctionLayouts, &MakeFunction, 0},
    {"TanhGrad", "vector_tanh_grad", &SupportsSlope, &ChooseSlopeLayouts, &MakeSlope, 0},
    {"Transpose", "vector_transpose", &SupportsMovement, nullptr, &MakeTranspose, -1},
    {"Where", "vector_where", &SupportsWhere, nullptr, &MakeWhere, -1},
};

}  // namespace

KernelTable Table() { return kTable; }

}  // namespace rm::kernels::cpu
