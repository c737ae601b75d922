// The order of the backward pass: a parameter's gradient is final as early as it can be, so that it
// travels to the other ranks while the rest is computed.
//
//   by the rules alone        here                       on the wire
//   dX of layer 2             dW, db of layer 2
//   dW, db of layer 2         dX of layer 2              dW, db of layer 2
//   dW, db of layer 1         dW, db of layer 1          …
//
// What this order costs is nothing: the same nodes run, and dY lives as long either way.
#ifndef RM_RUNTIME_GRAPH_GRADIENT_ORDER_H_
#define RM_RUNTIME_GRAPH_GRADIENT_ORDER_H_

#include "runtime/graph/types.h"

namespace rm::graph {

// Gives every parameter's gradient a value of its own, by a copy where it is read by a node, is an
// output or an input, or is the gradient of another parameter too. The memory of a gradient belongs
// to the caller as soon as it is final, so nothing else may be kept in it.
void IsolateGradients(TypedGraph* graph);

// Orders the backward pass: of the nodes whose operands exist, the one from which the fewest
// parameters' gradients are computed comes next (the one that stood first, where they are equal).
// So a layer's own gradients precede what carries the gradient on to earlier layers.
void OrderBackward(Graph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_GRADIENT_ORDER_H_
