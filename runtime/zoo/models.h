// The builders of the built-in models, for the table alone.
#ifndef RM_RUNTIME_ZOO_MODELS_H_
#define RM_RUNTIME_ZOO_MODELS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/graph/graph.h"

namespace rm::zoo {

// A model's parameters by name, every one of them present and inside its range.
using Params = std::map<std::string, int64_t>;

absl::StatusOr<graph::Graph> BuildMlp(const Params& params);
absl::StatusOr<graph::Graph> BuildConvnet(const Params& params);

}  // namespace rm::zoo

#endif  // RM_RUNTIME_ZOO_MODELS_H_
