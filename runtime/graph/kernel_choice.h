// Layouts and kernels: which table entry computes each node, and in which layouts.
//
// Nodes are settled in order. For each, the entries of its operator are asked in table order for
// the layouts they want (KernelEntry::choose_layouts), given the layouts that the operands have by
// then; the first entry that supports what it wants is taken. So a blocked layout started by a
// convolution stays until a node asks for another one; only there a Reorder node is inserted, and
// it is shared by all later readers. Element-wise operators have no wish of their own: they run in
// the layout that needs the fewest bytes reordered.
//
// For conv → relu → pool → flatten → fc, with convolutions that want blocks of channels:
//
//   x ─conv─► blocked ─relu─► blocked ─pool─► blocked ─Reorder─► plain ─flatten─► plain ─fc─►
//
// and the backward pass turns blocked again at the gradient of the pooling. The choice is greedy,
// one sweep: a node is not asked to run slower for the sake of a later one.
#ifndef RM_RUNTIME_GRAPH_KERNEL_CHOICE_H_
#define RM_RUNTIME_GRAPH_KERNEL_CHOICE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "kernels/api/kernel.h"
#include "runtime/graph/types.h"

namespace rm::graph {

// The entry for each node of `graph` as it is afterwards; nullptr for a node that is a view
// (runtime/graph/view.h) and for which the table has no kernel. Types get their layouts; outputs
// and gradients of parameters end in plain layout; inputs, parameters and constants begin in it.
// With `blocked` false everything is plain. InvalidArgument lists every node for which the table
// has no kernel.
[[nodiscard]] absl::StatusOr<std::vector<const kernels::KernelEntry*>> ChooseKernels(
    kernels::KernelTable table, const kernels::KernelOptions& options, bool blocked,
    TypedGraph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_KERNEL_CHOICE_H_
