// What every operator family infers; for the table of op_signature.cc alone.
#ifndef RM_KERNELS_API_INFER_H_
#define RM_KERNELS_API_INFER_H_

#include "absl/status/status.h"
#include "kernels/api/op.h"

namespace rm::kernels {

// infer_batch_norm.cc
absl::Status InferBatchNormGrad(OpInstance* instance);
absl::Status InferBatchNormTraining(OpInstance* instance);
absl::Status InferBatchNormalization(OpInstance* instance);

// infer_matmul.cc
absl::Status InferGemm(OpInstance* instance);
absl::Status InferMatMul(OpInstance* instance);

// infer_conv.cc
absl::Status InferConv(OpInstance* instance);
absl::Status InferConvGradInput(OpInstance* instance);
absl::Status InferConvTranspose(OpInstance* instance);
absl::Status InferConvGradWeight(OpInstance* instance);

// infer_pool.cc
absl::Status InferAveragePool(OpInstance* instance);
absl::Status InferAveragePoolGrad(OpInstance* instance);
absl::Status InferGlobalAveragePool(OpInstance* instance);
absl::Status InferGlobalAveragePoolGrad(OpInstance* instance);
absl::Status InferMaxPool(OpInstance* instance);
absl::Status InferMaxPoolGrad(OpInstance* instance);

// infer_elementwise.cc
absl::Status InferArithmetic(OpInstance* instance);  // Add, Sub, …, Max, Min
absl::Status InferCompare(OpInstance* instance);     // Less, …
absl::Status InferEqual(OpInstance* instance);
absl::Status InferIsNaN(OpInstance* instance);
absl::Status InferLogic(OpInstance* instance);  // And, Or, Not
absl::Status InferMod(OpInstance* instance);
absl::Status InferPow(OpInstance* instance);        // PowGrad too
absl::Status InferSigned(OpInstance* instance);     // Abs, Neg
absl::Status InferUnary(OpInstance* instance);      // Relu, Tanh, …
absl::Status InferUnaryGrad(OpInstance* instance);  // ReluGrad, TanhGrad, …
absl::Status InferWhere(OpInstance* instance);

// infer_movement.cc
absl::Status InferCast(OpInstance* instance);
absl::Status InferConcat(OpInstance* instance);
absl::Status InferExpand(OpInstance* instance);
absl::Status InferFlatten(OpInstance* instance);
absl::Status InferReorder(OpInstance* instance);
absl::Status InferReshape(OpInstance* instance);
absl::Status InferSlice(OpInstance* instance);
absl::Status InferSliceGrad(OpInstance* instance);
absl::Status InferSplit(OpInstance* instance);
absl::Status InferTranspose(OpInstance* instance);
absl::Status InferTrilu(OpInstance* instance);

// infer_gather.cc
absl::Status InferGather(OpInstance* instance);
absl::Status InferGatherElements(OpInstance* instance);
absl::Status InferGatherElementsGrad(OpInstance* instance);
absl::Status InferGatherGrad(OpInstance* instance);
absl::Status InferGatherND(OpInstance* instance);
absl::Status InferGatherNDGrad(OpInstance* instance);

// infer_normalize.cc
absl::Status InferSoftmax(OpInstance* instance);      // LogSoftmax, too
absl::Status InferSoftmaxGrad(OpInstance* instance);  // LogSoftmaxGrad, too
absl::Status InferLayerNormalization(OpInstance* instance);
absl::Status InferLayerNormGrad(OpInstance* instance);

// infer_recurrent.cc
absl::Status InferLstm(OpInstance* instance);
absl::Status InferLstmGrad(OpInstance* instance);

// infer_reduce.cc
absl::Status InferReduce(OpInstance* instance);      // ReduceSum, ReduceMean, ReduceMax
absl::Status InferReduceGrad(OpInstance* instance);  // ReduceSumGrad, ReduceMeanGrad

// infer_loss.cc
absl::Status InferSoftmaxCrossEntropy(OpInstance* instance);
absl::Status InferSoftmaxCrossEntropyGrad(OpInstance* instance);
absl::Status InferCountCorrect(OpInstance* instance);
absl::Status InferElementLoss(OpInstance* instance);
absl::Status InferElementLossGrad(OpInstance* instance);

// infer_dropout.cc
absl::Status InferDropout(OpInstance* instance);
absl::Status InferDropoutTraining(OpInstance* instance);

// infer_update.cc
absl::Status InferAdamUpdate(OpInstance* instance);
absl::Status InferSgdUpdate(OpInstance* instance);

}  // namespace rm::kernels

#endif  // RM_KERNELS_API_INFER_H_
