// Nodes whose output is their input: another shape or layout over the same bytes.
//
// Flatten between a pooling and a product, Reshape in its gradient, the layout of an image with one
// channel: they cost nothing, and storage gives both values one memory (runtime/graph/storage.h).
#ifndef RM_RUNTIME_GRAPH_VIEW_H_
#define RM_RUNTIME_GRAPH_VIEW_H_

#include "kernels/api/op.h"

namespace rm::graph {

// True when tensors of the two types, of equal shape and element type, have every element at the
// same place. Layouts differ in name only where an image has one channel or one pixel, for example.
[[nodiscard]] bool SameMemory(const kernels::TensorType& a, const kernels::TensorType& b);

// True when output 0 may be the memory of input 0 with nothing computed: Flatten and Reshape in
// plain layout, and a Reorder between layouts that are the same in memory.
[[nodiscard]] bool IsView(const kernels::OpInstance& instance);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_VIEW_H_
