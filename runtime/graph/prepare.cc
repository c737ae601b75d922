#include "runtime/graph/prepare.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"

namespace rm::graph {
namespace {

// Operands of BatchNormalization behind X.
enum BatchNormInput : size_t { kScaleInput = 1, kBiasInput = 2, kMean = 3, kVariance = 4 };

// As a model's author writes it.
bool IsDropout(const Node& node) { return node.op == "Dropout" && node.inputs.size() == 1; }

bool IsBuffer(const Graph& graph, ValueId id) {
  return id != kNoValue && graph.value(id).kind == ValueKind::kBuffer;
}

// The share of the new value. ONNX keeps 0.9 in float32; the difference to 1 is rounded to what was
// meant.
float UpdateShare(const Node& node) {
  const double kept = static_cast<double>(node.attributes.Float("momentum", 0.9F));
  constexpr double kDigits = 1e6;
  return static_cast<float>(std::round((1 - kept) * kDigits) / kDigits);
}

absl::Status Follow(ValueId buffer, ValueId statistic, float share, Graph* graph) {
  if (graph->buffer_updates().count(buffer) > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the running statistic '", graph->value(buffer).name,
                     "' is that of two BatchNormalization nodes; give each its own"));
  }
  if (!(share >= 0 && share <= 1)) {
    return absl::InvalidArgumentError("its momentum is not in [0, 1]");
  }
  graph->SetBufferUpdate(buffer, statistic, share);
  return absl::OkStatus();
}

// A layer whose scale is frozen keeps its statistics as well: to freeze is to leave alone.
absl::Status PrepareBatchNorm(size_t index, Graph* graph) {
  const Node node = graph->nodes()[index];
  const bool complete = node.inputs.size() == 5 && node.outputs.size() == 1;
  if (!complete || IsBuffer(*graph, node.inputs[kScaleInput]) ||
      !IsBuffer(*graph, node.inputs[kMean]) || !IsBuffer(*graph, node.inputs[kVariance])) {
    return absl::OkStatus();
  }
  // Y, batch_mean, batch_variance, inverse_stddev.
  const ValueId mean = graph->AddOutput(index);
  const ValueId variance = graph->AddOutput(index);
  graph->AddOutput(index);
  Node& training = graph->mutable_nodes()[index];
  training.op = "BatchNormTraining";
  training.inputs = {node.inputs[0], node.inputs[kScaleInput], node.inputs[kBiasInput]};
  training.attributes = {{"epsilon", node.attributes.Float("epsilon", 1e-5F)}};
  const float share = UpdateShare(node);
  RM_RETURN_IF_ERROR(Follow(node.inputs[kMean], mean, share, graph));
  return Follow(node.inputs[kVariance], variance, share, graph);
}

// The name keys the node's random stream: it is the same in every program made of the model.
absl::Status CountDropout(ValueId counters, Node* node) {
  const float ratio = node->attributes.Float("ratio", 0.5F);
  if (!(ratio >= 0 && ratio < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("its ratio ", ratio, " is not in [0, 1)"));
  }
  node->op = "DropoutTraining";
  node->inputs = {node->inputs[0], counters};
  node->attributes = {{"ratio", ratio},
                      {"stream", static_cast<int64_t>(base::StableHash(node->name))}};
  return absl::OkStatus();
}

// Takes the dropout nodes out for which `vanishes` says so. Nodes stand in topological order, so what
// stands for an operand is known when a reader comes.
template <typename Predicate>
void RemoveDropout(const Predicate& vanishes, Graph* graph) {
  std::vector<ValueId> stands_for(graph->values().size());
  for (size_t i = 0; i < stands_for.size(); ++i) stands_for[i] = static_cast<ValueId>(i);
  std::vector<Node> kept;
  for (const Node& original : graph->nodes()) {
    Node node = original;
    for (ValueId& input : node.inputs) {
      if (input != kNoValue) input = stands_for[static_cast<size_t>(input)];
    }
    if (IsDropout(node) && vanishes(node)) {
      stands_for[static_cast<size_t>(node.outputs[0])] = node.inputs[0];
    } else {
      kept.push_back(std::move(node));
    }
  }
  graph->mutable_nodes() = std::move(kept);
  const auto outputs = graph->outputs();
  for (const auto& [name, value] : outputs) {
    graph->MarkOutput(name, stands_for[static_cast<size_t>(value)]);
  }
}

// "node 'drop' (Dropout): …".
absl::Status AtNode(const Node& node, const absl::Status& status) {
  return base::Annotate(status, absl::StrCat("node '", node.name, "' (", node.op, ")"));
}

}  // namespace

absl::Status SwitchDropout(bool training, Graph* graph) {
  RemoveDropout(
      [training](const Node& node) {
        return !training || node.attributes.Float("ratio", 0.5F) == 0.0F;
      },
      graph);
  ValueId counters = kNoValue;
  for (size_t i = 0; i < graph->nodes().size(); ++i) {
    if (!IsDropout(graph->nodes()[i])) continue;
    if (counters == kNoValue && graph->FindValue(kCounters) != kNoValue) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the model has a value named '", kCounters, "', which is dropout's own; rename it"));
    }
    if (counters == kNoValue) {
      counters = graph->AddInput(kCounters, kernels::DType::kInt64, {3});
    }
    Node& node = graph->mutable_nodes()[i];
    RM_RETURN_IF_ERROR(AtNode(node, CountDropout(counters, &node)));
  }
  return absl::OkStatus();
}

absl::Status PrepareTraining(Graph* graph) {
  for (size_t i = 0; i < graph->nodes().size(); ++i) {
    const Node node = graph->nodes()[i];
    if (node.op != "BatchNormalization") continue;
    RM_RETURN_IF_ERROR(AtNode(node, PrepareBatchNorm(i, graph)));
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
