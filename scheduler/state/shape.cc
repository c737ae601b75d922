#include "scheduler/state/shape.h"

#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace rm::scheduler {

// Numbers first: most shapes differ in them, and strings need not be compared.
bool Shape::operator<(const Shape& other) const {
  return std::tie(slots_per_rank, ranks_min, ranks_max, placement, selector) <
         std::tie(other.slots_per_rank, other.ranks_min, other.ranks_max, other.placement,
                  other.selector);
}

// Labels in the order of their names, each with its length in front: no two selectors read alike.
Shape ShapeOf(const Job& job) {
  const pb::ResourceSpec& resources = job.resources();
  Shape shape;
  shape.slots_per_rank = resources.slots_per_rank();
  shape.ranks_min = resources.ranks_min();
  shape.ranks_max = resources.ranks_max();
  shape.placement = resources.placement();
  if (resources.node_selector().empty()) return shape;
  const std::map<std::string, std::string> labels(resources.node_selector().begin(),
                                                  resources.node_selector().end());
  for (const auto& [name, value] : labels) {
    absl::StrAppend(&shape.selector, name.size(), ":", name, value.size(), ":", value);
  }
  return shape;
}

}  // namespace rm::scheduler
