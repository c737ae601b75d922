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

// The same without a bias.
graph::ValueId LinearWithoutBias(absl::string_view name, graph::ValueId x, int64_t in, int64_t out,
                                 graph::Graph* graph);

// A square convolution without bias: sizes in channels, kernel, stride and padding in pixels.
struct ConvShape {
  int64_t in, out, kernel, stride, padding;
};
// Adds name.weight (out, in, k, k) from U(−1/√(in·k²), 1/√(in·k²)).
graph::ValueId PlainConv2d(absl::string_view name, graph::ValueId x, const ConvShape& shape,
                           graph::Graph* graph);

// The normalisation `name` over images x (batch, channels, H, W), epsilon 1e-5, momentum 0.1. Adds
// name.weight (ones) and name.bias (zeros), and the buffers name.running_mean (zeros) and
// name.running_var (ones).
graph::ValueId BatchNorm(absl::string_view name, graph::ValueId x, int64_t channels,
                         graph::Graph* graph);

// The normalisation `name` of rows x (batch, width), epsilon 1e-5. Adds name.weight (ones) and
// name.bias (zeros).
graph::ValueId LayerNorm(absl::string_view name, graph::ValueId x, int64_t width,
                         graph::Graph* graph);

// The table name.weight (entries, width) from N(0, 1); what reads it is the caller's to add.
graph::ValueId Embedding(absl::string_view name, int64_t entries, int64_t width,
                         graph::Graph* graph);

graph::ValueId Relu(absl::string_view name, graph::ValueId x, graph::Graph* graph);

}  // namespace rm::zoo

#endif  // RM_RUNTIME_ZOO_LAYERS_H_
