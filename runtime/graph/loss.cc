// AttachLoss: one function a loss and one line in the table.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"

namespace rm::graph {
namespace {

using kernels::DType;
using kernels::Shape;

// What a loss is attached to: the model's output and the inputs that come with the data.
struct LossSite {
  Graph* graph;
  ValueId output;
  Shape shape;  // the output's; its first dimension is kBatch where that is open
};

// The sum over samples, not the mean: a rank knows its share of the batch alone, and the division
// by the weight of the whole step is in `scale`, which comes with the data.
absl::Status AttachSoftmaxCrossEntropy(const LossOptions& options, const LossSite& site) {
  if (site.shape.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model's output '", site.graph->value(site.output).name,
                     "' has one dimension; this loss needs one for the classes, the last"));
  }
  Graph& graph = *site.graph;
  const Shape rows(site.shape.begin(), site.shape.end() - 1);
  const ValueId labels = graph.AddInput(kLabels, DType::kInt64, rows);
  const ValueId weights = graph.AddInput(kWeights, DType::kFloat32, rows);
  graph.AddInput(kScale, DType::kFloat32, {1});
  kernels::Attributes attributes;
  if (options.label_smoothing > 0) attributes.Set("label_smoothing", options.label_smoothing);
  const std::vector<ValueId> loss = graph.AddNodeWithOutputs(
      "SoftmaxCrossEntropy", kLossSum, {site.output, labels, weights}, 2, std::move(attributes));
  graph.MarkOutput(kLossSum, loss[0]);
  graph.MarkOutput(kCorrect,
                   graph.AddNode("CountCorrect", kCorrect, {site.output, labels, weights}));
  return absl::OkStatus();
}

// A loss that compares the output with targets of its shape, element by element, by operator `op`.
absl::Status AttachElementLoss(const char* op, const LossOptions& options, const LossSite& site) {
  if (options.label_smoothing > 0) {
    return absl::InvalidArgumentError("label_smoothing is for losses with classes");
  }
  Graph& graph = *site.graph;
  const ValueId targets = graph.AddInput(kLabels, DType::kFloat32, site.shape);
  const ValueId weights = graph.AddInput(kWeights, DType::kFloat32, {site.shape[0]});
  graph.AddInput(kScale, DType::kFloat32, {1});
  graph.MarkOutput(kLossSum, graph.AddNode(op, kLossSum, {site.output, targets, weights}));
  return absl::OkStatus();
}

absl::Status AttachMeanSquaredError(const LossOptions& options, const LossSite& site) {
  return AttachElementLoss("MeanSquaredError", options, site);
}

absl::Status AttachSigmoidCrossEntropy(const LossOptions& options, const LossSite& site) {
  return AttachElementLoss("SigmoidCrossEntropy", options, site);
}

// One row of the table: how a loss is named in a job file, and how it is attached.
struct Loss {
  const char* name;
  absl::Status (*attach)(const LossOptions& options, const LossSite& site);
};

// To add a loss: a function above, a line here.
constexpr Loss kLosses[] = {
    {"softmax_cross_entropy", &AttachSoftmaxCrossEntropy},
    {"mse", &AttachMeanSquaredError},
    {"sigmoid_binary_cross_entropy", &AttachSigmoidCrossEntropy},
};

// By name, or an error that lists the names there are.
absl::StatusOr<const Loss*> FindLoss(const std::string& name) {
  for (const Loss& loss : kLosses) {
    if (name == loss.name) return &loss;
  }
  const std::string names = absl::StrJoin(
      kLosses, ", ", [](std::string* out, const Loss& loss) { absl::StrAppend(out, loss.name); });
  return absl::InvalidArgumentError(absl::StrCat("unknown loss '", name, "'; there is ", names));
}

// Importers bring names from a user's file, which may be those of the loss's own inputs.
absl::Status CheckNames(const Graph& graph) {
  for (const char* name : {kLabels, kWeights, kScale, kLossSum, kCorrect}) {
    if (graph.FindValue(name) == kNoValue && graph.FindOutput(name) == kNoValue) continue;
    return absl::InvalidArgumentError(absl::StrCat("the model has a value named '", name,
                                                   "', which is the loss's own; rename it"));
  }
  return absl::OkStatus();
}

// The output's shape, its first dimension kBatch when that follows the batch size, which two probes
// tell. What else depends on the batch size cannot be a loss's shape.
absl::StatusOr<Shape> OutputShape(const Graph& graph, ValueId output) {
  RM_ASSIGN_OR_RETURN(const std::vector<kernels::TensorType> two, InferTypes(graph, 2));
  RM_ASSIGN_OR_RETURN(const std::vector<kernels::TensorType> three, InferTypes(graph, 3));
  const kernels::TensorType& type = two[static_cast<size_t>(output)];
  Shape shape = type.shape;
  Shape other = three[static_cast<size_t>(output)].shape;
  if (!shape.empty() && type.dtype == DType::kFloat32) {
    if (shape[0] == 2 && other[0] == 3) shape[0] = other[0] = kBatch;
    if (shape == other) return shape;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the model's output '", graph.value(output).name, "' is ", type.ToString(),
                   " for a batch of 2; a loss needs float32 values with the batch as the first "
                   "dimension"));
}

}  // namespace

absl::Status AttachLoss(const LossOptions& options, Graph* graph) {
  RM_ASSIGN_OR_RETURN(const Loss* loss, FindLoss(options.loss));
  const ValueId output = graph->FindOutput(kModelOutput);
  if (output == kNoValue) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model has no output named '", kModelOutput, "'"));
  }
  RM_RETURN_IF_ERROR(CheckNames(*graph));
  if (!(options.label_smoothing >= 0.0F && options.label_smoothing < 1.0F)) {
    return absl::InvalidArgumentError(
        absl::StrCat("label_smoothing ", options.label_smoothing, " is not in [0, 1)"));
  }
  RM_ASSIGN_OR_RETURN(Shape shape, OutputShape(*graph, output));
  return loss->attach(options, {graph, output, std::move(shape)});
}

}  // namespace rm::graph
