// From a model's forward graph to a training graph: loss attachment, then autodiff.
#ifndef RM_RUNTIME_GRAPH_TRAINING_H_
#define RM_RUNTIME_GRAPH_TRAINING_H_

#include <string>

#include "absl/status/status.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

struct LossOptions {
  std::string loss = "softmax_cross_entropy";
  float label_smoothing = 0.0F;  // in [0, 1)
};

// Names of what AttachLoss adds to a model whose output is `output`.
//
//   loss                          labels                     weights             loss of one weight
//   softmax_cross_entropy         int64, output's shape      as labels           −log softmax[label]
//                                 without the last
//                                 dimension, the classes
//   mse                           float32, output's shape    float32, [batch]    mean over a sample's
//   sigmoid_binary_cross_entropy                                                 elements
//
// Inputs beside those two: scale (float32, [1]; one over the global weight of the step). A weight of
// 0 leaves a row out. Outputs: loss_sum (weighted sum of losses, not divided; so loss_sum over the sum
// of the weights is PyTorch's mean over all elements where all weights are 1) and, for losses with
// classes, correct (weighted count of right answers), both float32 [1].
inline constexpr char kLabels[] = "labels";
inline constexpr char kWeights[] = "weights";
inline constexpr char kScale[] = "scale";
inline constexpr char kLossSum[] = "loss_sum";
inline constexpr char kCorrect[] = "correct";
// The model's own output (logits), marked by whoever builds the model.
inline constexpr char kModelOutput[] = "output";

// Adds the loss on the output kModelOutput. InvalidArgument for an unknown loss (with the list), an
// output of the wrong shape, label smoothing for a loss without classes, or a model that already has
// a value of one of the names above.
[[nodiscard]] absl::Status AttachLoss(const LossOptions& options, Graph* graph);

// Appends the backward pass of scale · loss_sum: one gradient rule an op (runtime/graph/ops/, its
// table), gradients of a value used more than once are summed. Nothing is computed that no
// parameter needs. Afterwards graph->gradients() holds the gradient of every parameter on which the
// loss depends. InvalidArgument: ops without a rule on a path from a parameter to the loss, all of
// them with their nodes. FailedPrecondition: no loss attached, or differentiated already. After an
// error of a rule the graph is half done and of no more use.
[[nodiscard]] absl::Status Differentiate(Graph* graph);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_TRAINING_H_
