// What a model does in training and not in use, and the other way round.
//
//   in the model                                in training                       in use
//   Dropout(X) {ratio}                          DropoutTraining(X, counters)      X
//                                               {ratio, stream}: a mask made of
//                                               numbers, not of memory
//   BatchNormalization(X, scale, B, mean, var)  BatchNormTraining(X, scale, B):   as it is
//                                               the batch's own statistics, which
//                                               mean and var follow
//
// Dropout is settled first, on the model as its author wrote it; normalisation when a batch is bound
// and every node has its canonical form. Both before the loss is attached.
#ifndef RM_RUNTIME_GRAPH_PREPARE_H_
#define RM_RUNTIME_GRAPH_PREPARE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// The input that says which random numbers dropout draws: int64 [3], the job's seed, the step (from
// 0), and the place of the batch's first row in the global batch. A graph has it only if it has a
// DropoutTraining node.
inline constexpr char kCounters[] = "counters";

// For training, Dropout nodes of one operand, whose ratio is an attribute, get their counters; those
// of ratio 0 vanish: their readers read what they would have dropped from. For use, all of them
// vanish. Nodes of more operands are an exporter's, and are left to whoever binds the model.
// InvalidArgument: a value named kCounters, a ratio outside [0, 1). REQUIRES: neither loss nor
// backward pass.
[[nodiscard]] absl::Status SwitchDropout(bool training, Graph* graph);

// BatchNormalization nodes whose mean and variance are buffers get their training form, and the
// buffers follow the batch: (1 − m) · old + m · batch, m = 1 − the node's momentum (ONNX counts what
// is kept; 0.9 without the attribute), the variance being the unbiased one. Where the scale is a
// buffer, the layer is frozen and stays in the form that uses what it was given, as after PyTorch's
// eval(). InvalidArgument: buffers that two nodes would move. REQUIRES: as above.
[[nodiscard]] absl::Status PrepareTraining(Graph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_PREPARE_H_
