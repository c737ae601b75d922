// Recognition: what an exporter has written out in small steps becomes the operator that it was.
//
// A file from PyTorch says "0.5 · x · (1 + erf(x / √2))" in five nodes where its model said GELU, a
// product and a sum where it said a layer with bias, and three slices where it cut a tensor in
// three. Each of these steps is a pass over memory, and autodiff would make two more of each. The
// operators have kernels that do all of it at once, and gradients that are as short.
//
// Runs on a bound graph (runtime/graph/bind.h) before loss and autodiff, unlike fusion
// (runtime/graph/fusion.h), which must leave a backward pass right. Results are those of the
// written form up to rounding; parameters, inputs, outputs and their names stay.
//
// One file and one table line a rule (recognize_rules.h, recognize.cc).
#ifndef RM_RUNTIME_GRAPH_RECOGNIZE_H_
#define RM_RUNTIME_GRAPH_RECOGNIZE_H_

#include "absl/status/status.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// Applies every rule, in the order of the table, and removes the nodes that have lost their last
// reader. A second call changes nothing.
//   gelu        x/2 · (1 + erf(x/√2)) → Gelu(x); x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))
//               → Gelu(x) {approximate = "tanh"}; in any order of factors.
//   split       Slices of one value that tile one of its axes → Split; Gathers of one index each
//               likewise, each followed by a view without the axis.
//   transpose   MatMul(A, Transpose(B)) of stacks, where the transpose also turns the innermost
//               dimension outwards → MatMul(A, Transpose'(B)) {transB = 1} that leaves it inside:
//               rows are then copied in one piece; likewise for A.
//   linear      MatMul(X, W) + b of a matrix W and one b a column → Gemm(X, W, b), X and the result
//               seen as matrices of rows.
// Errors are those of InferTypes; the graph may then be half done. REQUIRES: a bound graph without
// backward pass; no dimension is kBatch.
[[nodiscard]] absl::Status Recognize(Graph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_RECOGNIZE_H_
