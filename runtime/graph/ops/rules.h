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

// conv.cc
absl::Status DifferentiateConv(GradientContext* context);

// normalize.cc
absl::Status DifferentiateLayerNormalization(GradientContext* context);
absl::Status DifferentiateLogSoftmax(GradientContext* context);
absl::Status DifferentiateSoftmax(GradientContext* context);

// pool.cc
absl::Status DifferentiateMaxPool(GradientContext* context);

// elementwise.cc
absl::Status DifferentiateAdd(GradientContext* context);
absl::Status DifferentiateRelu(GradientContext* context);

// reshape.cc
absl::Status DifferentiateView(GradientContext* context);

// loss.cc
absl::Status DifferentiateSoftmaxCrossEntropy(GradientContext* context);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OPS_RULES_H_
