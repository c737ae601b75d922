// The gradient rules of every operator family, for the table alone.
#ifndef RM_RUNTIME_GRAPH_OPS_RULES_H_
#define RM_RUNTIME_GRAPH_OPS_RULES_H_

#include "absl/status/status.h"
#include "runtime/graph/ops/gradient_context.h"

namespace rm::graph {

// matmul.cc
absl::Status DifferentiateGemm(GradientContext* context);
absl::Status DifferentiateMatMul(GradientContext* context);

// batch_norm.cc
absl::Status DifferentiateBatchNormTraining(GradientContext* context);
absl::Status DifferentiateBatchNormalization(GradientContext* context);

// conv.cc
absl::Status DifferentiateConv(GradientContext* context);
absl::Status DifferentiateConvTranspose(GradientContext* context);

// normalize.cc
absl::Status DifferentiateLayerNormalization(GradientContext* context);
absl::Status DifferentiateLogSoftmax(GradientContext* context);
absl::Status DifferentiateSoftmax(GradientContext* context);

// pool.cc
absl::Status DifferentiateAveragePool(GradientContext* context);
absl::Status DifferentiateGlobalAveragePool(GradientContext* context);
absl::Status DifferentiateMaxPool(GradientContext* context);

// elementwise.cc
absl::Status DifferentiateAdd(GradientContext* context);
absl::Status DifferentiateCast(GradientContext* context);
absl::Status DifferentiateCos(GradientContext* context);
absl::Status DifferentiateDiv(GradientContext* context);
absl::Status DifferentiateExp(GradientContext* context);
absl::Status DifferentiateExtremum(GradientContext* context);  // Max, Min
absl::Status DifferentiateLog(GradientContext* context);
absl::Status DifferentiateMul(GradientContext* context);
absl::Status DifferentiateNeg(GradientContext* context);
absl::Status DifferentiatePow(GradientContext* context);
absl::Status DifferentiateSin(GradientContext* context);
absl::Status DifferentiateSub(GradientContext* context);
absl::Status DifferentiateWhere(GradientContext* context);
absl::Status DifferentiateByOperand(GradientContext* context);  // Elu, …
absl::Status DifferentiateByResult(GradientContext* context);   // Relu, Tanh, …

// movement.cc
absl::Status DifferentiateConcat(GradientContext* context);
absl::Status DifferentiateExpand(GradientContext* context);
absl::Status DifferentiateGather(GradientContext* context);  // GatherElements, GatherND too
absl::Status DifferentiateSlice(GradientContext* context);
absl::Status DifferentiateSplit(GradientContext* context);
absl::Status DifferentiateTranspose(GradientContext* context);
absl::Status DifferentiateTrilu(GradientContext* context);
absl::Status DifferentiateView(GradientContext* context);  // Flatten, Reshape

// dropout.cc
absl::Status DifferentiateDropoutTraining(GradientContext* context);

// recurrent.cc
absl::Status DifferentiateLstm(GradientContext* context);

// reduce.cc
absl::Status DifferentiateReduceMax(GradientContext* context);
absl::Status DifferentiateReduceMean(GradientContext* context);
absl::Status DifferentiateReduceSum(GradientContext* context);

// loss.cc
absl::Status DifferentiateMeanSquaredError(GradientContext* context);
absl::Status DifferentiateSigmoidCrossEntropy(GradientContext* context);
absl::Status DifferentiateSoftmaxCrossEntropy(GradientContext* context);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OPS_RULES_H_
