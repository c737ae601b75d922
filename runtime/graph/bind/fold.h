// Nodes of constants, computed once on the host.
//
// What is folded is mostly shape arithmetic: a few integers, gathered, multiplied and joined. The rest
// are masks and tables of positions, which a model computes from ranges in every step, and scales of
// attention, one over the root of a dimension.
#ifndef RM_RUNTIME_GRAPH_BIND_FOLD_H_
#define RM_RUNTIME_GRAPH_BIND_FOLD_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/api/op.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// Bytes that a graph holds for a constant of this type: its integers are widened.
[[nodiscard]] int64_t ConstantMemory(const kernels::TensorType& type);

// Whether the instance is cheap enough to compute on the host: its results take at most `bytes_max`
// bytes as constants, and an operator whose work is more than linear in its operands (a product of matrices) is
// small. Always false where no reference kernel computes it.
[[nodiscard]] bool IsFoldable(const kernels::OpInstance& instance, int64_t bytes_max);

// The contents of the outputs, by the reference kernel. `inputs` are constants; nullptr is an absent
// operand. InvalidArgument is the kernel's own (an index out of range). REQUIRES: IsFoldable.
[[nodiscard]] absl::StatusOr<std::vector<Initializer>> Fold(const kernels::OpInstance& instance,
                                                            const std::vector<const Value*>& inputs);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_BIND_FOLD_H_
