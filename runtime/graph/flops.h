// Floating-point operations and bytes of a node, counted from its shapes: what a machine has to do at
// least, to be held against the time that it takes.
//
// Divided by the time of a node it gives a rate to compare with the machine's peak: a product of
// matrices that reaches a tenth of it has a bad shape or a bad kernel. Nodes that count by elements
// are bound by memory instead; theirs is a number to add up, no more.
#ifndef RM_RUNTIME_GRAPH_FLOPS_H_
#define RM_RUNTIME_GRAPH_FLOPS_H_

#include <cstdint>

#include "kernels/api/op.h"

namespace rm::graph {

// A product of matrices, a convolution or one of its gradients counts two for each multiplication
// with its addition, an LSTM the products in it; any other operator counts one for each element of
// its outputs, and one that only moves elements none. What fusion has put into a node counts as the
// node that it was: an activation, a residual and a factor one for each element of the result. So a
// compiled program's count is that of its graph, less what fusion has spared. Pure; types must be
// known.
[[nodiscard]] int64_t Flops(const kernels::OpInstance& instance);

// Bytes that a kernel has to read and write at least: every operand once, in the layout that it has
// there; of a table whose rows are gathered no more than the rows that are taken. Pure, as above.
[[nodiscard]] int64_t MovedBytes(const kernels::OpInstance& instance);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_FLOPS_H_
