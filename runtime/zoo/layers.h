// Layers as PyTorch names and initialises them, for the built-in models.
#ifndef RM_RUNTIME_ZOO_LAYERS_H_
#define RM_RUNTIME_ZOO_LAYERS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "runtime/graph/graph.h"

namespace rm::zoo {

// The fully connected layer `name`: x (batch, in) → (batch, out). Adds the parameters name.weight
// (out, in) and name.bias (out), both from U(−1/√in, 1/√in).
graph::ValueId Linear(absl::string_view name, graph::ValueId x, int64_t in, int64_t out,
                      graph::Graph* graph);

// The convolution `name` without padding, stride 1: x (batch, in, H, W) → (batch, out, H−k+1,
// W−k+1). Adds name.weight (out, in, k, k) and name.bias (out), both from U(−1/√(in·k²),
// 1/√(in·k²)).
graph::ValueId Conv2d(absl::string_view name, graph::ValueId x, int64_t in, int64_t out, int64_t k,
                      graph::Graph* graph);

graph::ValueId Relu(absl::string_view name, graph::ValueId x, graph::Graph* graph);

}  // namespace rm::zoo

#endif  // RM_RUNTIME_ZOO_LAYERS_H_
