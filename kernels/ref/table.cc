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
    {"Abs", "ref_abs", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"AbsGrad", "ref_abs_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Add", "ref_add", &LegalAndPlain, nullptr, &MakeArithmetic, -1},
    {"And", "ref_and", &LegalAndPlain, nullptr, &MakeLogic, -1},
    {"BatchNormGrad", "ref_batch_norm_grad", &LegalAndPlain, nullptr, &MakeBatchNormGrad, 0},
    {"BatchNormTraining", "ref_batch_norm_training", &LegalAndPlain, nullptr,
     &MakeBatchNormTraining, -1},
    {"BatchNormalization", "ref_batch_norm", &LegalAndPlain, nullptr, &MakeBatchNorm, 0},
    {"Cast", "ref_cast", &LegalAndPlain, nullptr, &MakeCast, -1},
    {"Clip", "ref_clip", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"ClipGrad", "ref_clip_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Concat", "ref_concat", &LegalAndPlain, nullptr, &MakeConcat, -1},
    {"Conv", "ref_conv", &LegalAndPlain, nullptr, &MakeConv, -1},
    {"ConvGradInput", "ref_conv_grad_input", &LegalAndPlain, nullptr, &MakeConvGradInput, -1},
    {"ConvGradWeight", "ref_conv_grad_weight", &LegalAndPlain, nullptr, &MakeConvGradWeight, -1},
    {"Cos", "ref_cos", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"CountCorrect", "ref_count_correct", &LegalAndPlain, nullptr, &MakeCountCorrect, -1},
    {"Div", "ref_div", &LegalAndPlain, nullptr, &MakeArithmetic, -1},
    {"Elu", "ref_elu", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"EluGrad", "ref_elu_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Equal", "ref_equal", &LegalAndPlain, nullptr, &MakeCompare, -1},
    {"Erf", "ref_erf", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"ErfGrad", "ref_erf_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Exp", "ref_exp", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"Expand", "ref_expand", &LegalAndPlain, nullptr, &MakeExpand, -1},
    {"Flatten", "ref_flatten", &LegalAndPlain, nullptr, &MakeCopy, 0},
    {"Gather", "ref_gather", &LegalAndPlain, nullptr, &MakeGather, -1},
    {"GatherElements", "ref_gather_elements", &LegalAndPlain, nullptr, &MakeGather, -1},
    {"GatherElementsGrad", "ref_gather_elements_grad", &LegalAndPlain, nullptr,
     &MakeGatherGrad, -1},
    {"GatherGrad", "ref_gather_grad", &LegalAndPlain, nullptr, &MakeGatherGrad, -1},
    {"GatherND", "ref_gather_nd", &LegalAndPlain, nullptr, &MakeGather, -1},
    {"GatherNDGrad", "ref_gather_nd_grad", &LegalAndPlain, nullptr, &MakeGatherGrad, -1},
    {"Gelu", "ref_gelu", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"GeluGrad", "ref_gelu_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Gemm", "ref_gemm", &LegalAndPlain, nullptr, &MakeGemm, -1},
    {"Greater", "ref_greater", &LegalAndPlain, nullptr, &MakeCompare, -1},
    {"GreaterOrEqual", "ref_greater_or_equal", &LegalAndPlain, nullptr, &MakeCompare, -1},
    {"HardSigmoid", "ref_hard_sigmoid", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"HardSigmoidGrad", "ref_hard_sigmoid_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"HardSwish", "ref_hard_swish", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"HardSwishGrad", "ref_hard_swish_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"IsNaN", "ref_is_nan", &LegalAndPlain, nullptr, &MakeIsNaN, -1},
    {"LayerNormGrad", "ref_layer_norm_grad", &LegalAndPlain, nullptr, &MakeLayerNormGrad, 0},
    {"LayerNormalization", "ref_layer_norm", &LegalAndPlain, nullptr, &MakeLayerNorm, -1},
    {"LeakyRelu", "ref_leaky_relu", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"LeakyReluGrad", "ref_leaky_relu_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Less", "ref_less", &LegalAndPlain, nullptr, &MakeCompare, -1},
    {"LessOrEqual", "ref_less_or_equal", &LegalAndPlain, nullptr, &MakeCompare, -1},
    {"Log", "ref_log", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"LogSoftmax", "ref_log_softmax", &LegalAndPlain, nullptr, &MakeSoftmax, -1},
    {"LogSoftmaxGrad", "ref_log_softmax_grad", &LegalAndPlain, nullptr, &MakeSoftmaxGrad, 0},
    {"MatMul", "ref_matmul", &LegalAndPlain, nullptr, &MakeMatMul, -1},
    {"Max", "ref_max", &LegalAndPlain, nullptr, &MakeArithmetic, -1},
    {"MaxPool", "ref_max_pool", &LegalAndPlain, nullptr, &MakeMaxPool, -1},
    {"MaxPoolGrad", "ref_max_pool_grad", &LegalAndPlain, nullptr, &MakeMaxPoolGrad, -1},
    {"Min", "ref_min", &LegalAndPlain, nullptr, &MakeArithmetic, -1},
    {"Mod", "ref_mod", &LegalAndPlain, nullptr, &MakeArithmetic, -1},
    {"Mul", "ref_mul", &LegalAndPlain, nullptr, &MakeArithmetic, -1},
    {"Neg", "ref_neg", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"Not", "ref_not", &LegalAndPlain, nullptr, &MakeNot, 0},
    {"Or", "ref_or", &LegalAndPlain, nullptr, &MakeLogic, -1},
    {"Pow", "ref_pow", &LegalAndPlain, nullptr, &MakePow, -1},
    {"PowGrad", "ref_pow_grad", &LegalAndPlain, nullptr, &MakePowGrad, -1},
    {"Reciprocal", "ref_reciprocal", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"ReciprocalGrad", "ref_reciprocal_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"ReduceSum", "ref_reduce_sum", &LegalAndPlain, nullptr, &MakeReduceSum, -1},
    {"Relu", "ref_relu", &LegalAndPlain, nullptr, &MakeRelu, 0},
    {"ReluGrad", "ref_relu_grad", &LegalAndPlain, nullptr, &MakeReluGrad, 0},
    {"Reorder", "ref_reorder", &Legal, nullptr, &MakeReorder, -1},
    {"Reshape", "ref_reshape", &LegalAndPlain, nullptr, &MakeCopy, 0},
    {"SgdUpdate", "ref_sgd_update", &LegalAndPlain, nullptr, &MakeSgdUpdate, 0},
    {"Sigmoid", "ref_sigmoid", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"SigmoidGrad", "ref_sigmoid_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Sin", "ref_sin", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"Slice", "ref_slice", &LegalAndPlain, nullptr, &MakeSlice, -1},
    {"SliceGrad", "ref_slice_grad", &LegalAndPlain, nullptr, &MakeSliceGrad, -1},
    {"Softmax", "ref_softmax", &LegalAndPlain, nullptr, &MakeSoftmax, -1},
    {"SoftmaxCrossEntropy", "ref_softmax_cross_entropy", &LegalAndPlain, nullptr,
     &MakeSoftmaxCrossEntropy, -1},
    {"SoftmaxCrossEntropyGrad", "ref_softmax_cross_entropy_grad", &LegalAndPlain, nullptr,
     &MakeSoftmaxCrossEntropyGrad, 0},
    {"SoftmaxGrad", "ref_softmax_grad", &LegalAndPlain, nullptr, &MakeSoftmaxGrad, 0},
    {"Split", "ref_split", &LegalAndPlain, nullptr, &MakeSplit, -1},
    {"Sqrt", "ref_sqrt", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"SqrtGrad", "ref_sqrt_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Sub", "ref_sub", &LegalAndPlain, nullptr, &MakeArithmetic, -1},
    {"Tanh", "ref_tanh", &LegalAndPlain, nullptr, &MakeUnary, 0},
    {"TanhGrad", "ref_tanh_grad", &LegalAndPlain, nullptr, &MakeUnaryGrad, 0},
    {"Transpose", "ref_transpose", &LegalAndPlain, nullptr, &MakeTranspose, -1},
    {"Trilu", "ref_trilu", &LegalAndPlain, nullptr, &MakeTrilu, -1},
    {"Where", "ref_where", &LegalAndPlain, nullptr, &MakeWhere, -1},
};

}  // namespace

KernelTable Table() { return kTable; }

}  // namespace rm::kernels::ref
