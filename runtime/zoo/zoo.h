// The built-in models, as graph builders: one file a model and one line in the table.
#ifndef RM_RUNTIME_ZOO_ZOO_H_
#define RM_RUNTIME_ZOO_ZOO_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/graph/graph.h"

namespace rm::zoo {

// Builds the forward graph of a model with one input named "input" and one output marked
// graph::kModelOutput. Parameters are named as PyTorch would ("fc1.weight", "conv1.bias") and
// initialised by PyTorch's defaults (U(−1/√fan_in, 1/√fan_in) for weights and biases of linear and
// convolution layers, N(0, 1) for embeddings, ones and zeros for normalisations).
//   mlp      channels·height·width-hidden1-hidden2-classes with relu (784-512-256-10)
//            params: classes, hidden1, hidden2, channels, height, width
//   convnet  conv 3×3 32, relu, conv 3×3 64, relu, max-pool 2, dropout, fc 128, relu, dropout 2×,
//            fc classes
//            params: classes, channels, height, width, dropout (0: none; PyTorch's example has 0.25)
//   resnet18 the CIFAR form: 3×3 stem, no first pooling, 3×32×32 images
//            params: classes, channels, height, width
//   gpt      decoder with causal attention over tokens int64 (batch, context); logits (batch,
//            context, vocabulary); 4 layers of width 128 with 4 heads, context 64, vocabulary 65
//            params: vocabulary, context, width, layers, heads
// mlp and convnet take images (batch, channels, height, width), 1×28×28 unless said otherwise, which are
// flattened in the order (channels, height, width).
// InvalidArgument: an unknown model or parameter (with what there is, and a suggestion), a value
// that is not a whole number, where the parameter is no share, or out of range.
[[nodiscard]] absl::StatusOr<graph::Graph> BuildModel(absl::string_view name,
                                                      const std::map<std::string, double>& params);

// Names in the table, in its order.
[[nodiscard]] std::vector<std::string> ModelNames();
// The parameters a model takes, with their defaults. Empty for an unknown model.
[[nodiscard]] std::map<std::string, double> ModelParams(absl::string_view name);

}  // namespace rm::zoo

#endif  // RM_RUNTIME_ZOO_ZOO_H_
