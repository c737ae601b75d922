// The rules of every operator family, for the table alone.
#ifndef RM_RUNTIME_GRAPH_OPS_RULES_H_
#define RM_RUNTIME_GRAPH_OPS_RULES_H_

#include "absl/status/status.h"
#include "kernels/api/op.h"
#include "runtime/graph/ops/gradient_context.h"

namespace rm::graph {

// matmul.cc
absl::Status InferGemm(kernels::OpInstance* instance);
absl::Status DifferentiateGemm(GradientContext* context);
absl::Status InferMatMul(kernels::OpInstance* instance);
absl::Status DifferentiateMatMul(GradientContext* context);

// conv.cc
absl::Status InferConv(kernels::OpInstance* instance);
absl::Status DifferentiateConv(GradientContext* context);
absl::Status InferConvGradInput(kernels::OpInstance* instance);
absl::Status InferConvGradWeight(kernels::OpInstance* instance);

// pool.cc
absl::Status InferMaxPool(kernels::OpInstance* instance);
absl::Status DifferentiateMaxPool(GradientContext* context);
absl::Status InferMaxPoolGrad(kernels::OpInstance* instance);

// elementwise.cc
absl::Status InferAdd(kernels::OpInstance* instance);
absl::Status DifferentiateAdd(GradientContext* context);
absl::Status InferRelu(kernels::OpInstance* instance);
absl::Status DifferentiateRelu(GradientContext* context);
absl::Status InferReluGrad(kernels::OpInstance* instance);

// reshape.cc
absl::Status InferFlatten(kernels::OpInstance* instance);
absl::Status InferReshape(kernels::OpInstance* instance);
absl::Status InferReorder(kernels::OpInstance* instance);
absl::Status DifferentiateView(GradientContext* context);

// reduce.cc
absl::Status InferReduceSum(kernels::OpInstance* instance);

// loss.cc
absl::Status InferSoftmaxCrossEntropy(kernels::OpInstance* instance);
absl::Status DifferentiateSoftmaxCrossEntropy(GradientContext* context);
absl::Status InferSoftmaxCrossEntropyGrad(kernels::OpInstance* instance);
absl::Status InferCountCorrect(kernels::OpInstance* instance);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OPS_RULES_H_
