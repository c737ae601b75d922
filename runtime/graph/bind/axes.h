// Axes as ONNX writes them: counted from either end, in any order.
//
//   rank 4:  axes [−1, 1] → [1, 3];  axis −2 → 2;  axis 4 is refused
//
// Canonical forms have them from the front and ascending, so that kernels, gradients and comparisons
// of nodes see one spelling.
#ifndef RM_RUNTIME_GRAPH_BIND_AXES_H_
#define RM_RUNTIME_GRAPH_BIND_AXES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/api/op.h"

namespace rm::graph {

// Each axis counted from the front, ascending. InvalidArgument: beyond `rank`, or twice.
[[nodiscard]] absl::StatusOr<std::vector<int64_t>> SortedAxes(const std::vector<int64_t>& axes,
                                                              size_t rank);

// The attribute `axis`, counted from the front; `fallback` where it is missing.
[[nodiscard]] absl::StatusOr<int64_t> AxisAttribute(const kernels::Attributes& attributes,
                                                    int64_t fallback, size_t rank);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_BIND_AXES_H_
