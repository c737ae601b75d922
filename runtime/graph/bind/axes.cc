#include "runtime/graph/bind/axes.h"

#include <algorithm>

#include "base/status.h"
#include "kernels/api/shapes.h"

namespace rm::graph {

absl::StatusOr<std::vector<int64_t>> SortedAxes(const std::vector<int64_t>& axes, size_t rank) {
  std::vector<int64_t> sorted;
  for (int64_t axis : axes) {
    RM_ASSIGN_OR_RETURN(const int64_t from_front, kernels::NormalizeAxis(axis, rank));
    sorted.push_back(from_front);
  }
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) return kernels::Misfit("axis ", *twice, " is given twice");
  return sorted;
}

absl::StatusOr<int64_t> AxisAttribute(const kernels::Attributes& attributes, int64_t fallback,
                                      size_t rank) {
  return kernels::NormalizeAxis(attributes.Int("axis", fallback), rank);
}

}  // namespace rm::graph
