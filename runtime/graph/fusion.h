// Fusion: fewer nodes that move less memory, with the same results bit for bit; only a factor that
// moves into a product rounds elsewhere.
//
// One function and one table line a rewrite (fusion.cc). A rewrite may leave dead nodes behind. It
// runs after autodiff, so that gradient rules see the model as it was written, and has to leave the
// backward pass right.
#ifndef RM_RUNTIME_GRAPH_FUSION_H_
#define RM_RUNTIME_GRAPH_FUSION_H_

#include "runtime/graph/types.h"

namespace rm::graph {

// Applies every rewrite, in the order of the table:
//   product_transposes  MatMul|Gemm(Transpose(A), B) → MatMul|Gemm(A, B) {transA = 1}, likewise for
//                       B, where the last two dimensions alone are swapped; and the Transpose of a
//                       product that nobody else reads → the product of its operands in reverse.
//   product_scalars     c · MatMul|Gemm(A, B) → MatMul|Gemm(A, B) {alpha = c} for a constant number
//                       c, where nobody else reads the product; and MatMul|Gemm(c · A, B) likewise,
//                       where only products read c · A.
//   residual_epilogue   Add(BatchNormTraining(X, …), R) → BatchNormTraining(X, …, R), where nobody
//                       else reads the first operand and R is there in time.
//   relu_epilogue       Relu(P(…)) → P {activation = "relu"} for P = Conv, Gemm, BatchNormalization
//                       or BatchNormTraining, where nobody else reads the operand of Relu. ReluGrad
//                       reads Relu's result, so the backward pass stays as it is.
//   relu_before_unpool  ReluGrad(MaxPoolGrad(dP, index), Y) → MaxPoolGrad(ReluGrad(dP, P), index)
//                       for P, index = MaxPool(Y): a window's gradient lands where Y equals P, so
//                       the mask may be taken on the pooled side, which is smaller; and Y, the
//                       larger of the two, need not be kept for the backward pass.
//   relu_batch_norm_grad  BatchNormGrad(ReluGrad(dY, Y), …) → BatchNormGrad(dY, …, Y) {activation =
//                       "relu"}, where nobody else reads the masked gradient.
void Fuse(TypedGraph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_FUSION_H_
