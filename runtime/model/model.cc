#include "runtime/model/model.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/name_pattern.h"
#include "base/file_system.h"
#include "base/status.h"
#include "runtime/graph/prepare.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/recognize.h"
#include "runtime/graph/training.h"
#include "runtime/onnx/import.h"
#include "runtime/zoo/zoo.h"

namespace rm::model {
namespace pb = ::ringmaster::v1;

namespace {

// A pattern that fits nothing is a slip, and would leave a layer in training that was to be left alone.
absl::Status FreezeByPattern(const std::string& pattern, graph::Graph* graph) {
  bool any = false;
  for (const graph::Value& value : graph->values()) {
    const bool is_weight = value.kind == graph::ValueKind::kParameter ||
                           value.kind == graph::ValueKind::kBuffer;
    if (!is_weight || !base::MatchesPattern(pattern, value.name)) continue;
    any = true;
    if (value.kind == graph::ValueKind::kParameter) graph->Freeze(graph->FindValue(value.name));
  }
  if (any) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model.freeze: '", pattern, "' fits no parameter of the model"));
}

// Built in, or from a file. Errors name the key of the job file that can mend them.
absl::StatusOr<graph::Graph> OpenGraph(const pb::ModelSpec& spec,
                                       std::vector<std::string>* warnings) {
  if (!spec.onnx().empty()) {
    auto imported = onnx::ImportModel(base::PosixFileSystem(), spec.onnx());
    if (!imported.ok()) return base::Annotate(imported.status(), "model.onnx");
    if (warnings != nullptr) {
      warnings->insert(warnings->end(), imported->warnings.begin(), imported->warnings.end());
    }
    return std::move(imported->graph);
  }
  if (spec.zoo().empty()) {
    return absl::InvalidArgumentError("model.zoo: the name of a built-in model is missing");
  }
  const std::map<std::string, double> params(spec.params().begin(), spec.params().end());
  auto built = zoo::BuildModel(spec.zoo(), params);
  if (!built.ok()) return base::Annotate(built.status(), "model");
  return built;
}

}  // namespace

// Patterns are applied last: they are about names, wherever the graph came from.
absl::StatusOr<graph::Graph> BuildGraph(const pb::ModelSpec& spec,
                                        std::vector<std::string>* warnings) {
  RM_ASSIGN_OR_RETURN(graph::Graph graph, OpenGraph(spec, warnings));
  for (const std::string& pattern : spec.freeze()) {
    RM_RETURN_IF_ERROR(FreezeByPattern(pattern, &graph));
  }
  return graph;
}

// Passes in order: a normalisation must have its training form before gradient rules see it, and the loss is what is differentiated.
absl::StatusOr<graph::Graph> ForBatch(const graph::Graph& model, const pb::ModelSpec& spec,
                                      int64_t batch, Purpose purpose) {
  if (batch < 1) return absl::InvalidArgumentError(absl::StrCat("a batch of ", batch, " rows"));
  graph::Graph graph = model;
  const bool training = purpose == Purpose::kTraining;
  RM_RETURN_IF_ERROR(base::Annotate(graph::SwitchDropout(training, &graph), "model"));
  // A file's shapes may be computed from the batch; built-in models are written in bound forms.
  if (!spec.onnx().empty()) {
    RM_ASSIGN_OR_RETURN(graph, graph::BindBatch(graph, batch));
    RM_RETURN_IF_ERROR(graph::Recognize(&graph));
  }
  if (training) RM_RETURN_IF_ERROR(base::Annotate(graph::PrepareTraining(&graph), "model"));
  graph::LossOptions loss;
  if (!spec.loss().empty()) loss.loss = spec.loss();
  loss.label_smoothing = static_cast<float>(spec.label_smoothing());
  RM_RETURN_IF_ERROR(base::Annotate(graph::AttachLoss(loss, &graph), "model.loss"));
  if (training) RM_RETURN_IF_ERROR(graph::Differentiate(&graph));
  return graph;
}

}  // namespace rm::model
