#include "runtime/model/model.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/name_pattern.h"
#include "base/file_system.h"
#include "base/status.h"
#include "kernels/api/tensor.h"
#include "runtime/graph/prepare.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/recognize.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"
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
absl::StatusOr<graph::Graph> OpenGraph(const pb::ModelSpec& spec) {
  if (!spec.onnx().empty()) {
    auto imported = onnx::ImportModel(base::PosixFileSystem(), spec.onnx());
    if (!imported.ok()) return base::Annotate(imported.status(), "model.onnx");
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
absl::StatusOr<graph::Graph> BuildGraph(const pb::ModelSpec& spec) {
  RM_ASSIGN_OR_RETURN(graph::Graph graph, OpenGraph(spec));
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

absl::StatusOr<int64_t> ClassCount(const graph::Graph& graph) {
  const graph::ValueId output = graph.FindOutput(graph::kModelOutput);
  if (output == graph::kNoValue) return absl::InternalError("the model has no output");
  RM_ASSIGN_OR_RETURN(const auto types, graph::InferTypes(graph, /*batch=*/1));
  const kernels::Shape& shape = types[static_cast<size_t>(output)].shape;
  if (shape.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model's output ", kernels::ShapeString(shape), " has no classes"));
  }
  return shape.back();
}

// Fewer classes than the model has are fine: a data set may lack some.
absl::Status CheckData(const graph::Graph& graph, absl::Span<const int64_t> sample_shape,
                       int64_t classes) {
  const graph::ValueId input = graph.FindValue(kInput);
  if (input == graph::kNoValue) return absl::InternalError("the model has no input named 'input'");
  const kernels::Shape& wanted = graph.value(input).shape;
  const kernels::Shape expected(wanted.begin() + 1, wanted.end());
  const kernels::Shape given(sample_shape.begin(), sample_shape.end());
  // A row of a table has no height or width of its own: it fits where there is room for as many numbers.
  const bool is_row = given.size() == 1;
  const bool fits = is_row ? kernels::ElementCount(expected) == given[0] : expected == given;
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the data's samples are ", kernels::ShapeString(given), ", the model takes ",
        kernels::ShapeString(expected), "; set the model's params (",
        is_row ? absl::StrCat("channels: 1, height: 1, width: ", given[0]) : "channels, height, width",
        ") or use other data"));
  }
  RM_ASSIGN_OR_RETURN(const auto types, graph::InferTypes(graph, /*batch=*/1));
  const graph::ValueId output = graph.FindOutput(graph::kModelOutput);
  if (output != graph::kNoValue && types[static_cast<size_t>(output)].shape.size() > 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the model's output ", types[static_cast<size_t>(output)].ToString(),
        " wants a label for each row of a sample, the data has one for the whole sample"));
  }
  RM_ASSIGN_OR_RETURN(const int64_t model_classes, ClassCount(graph));
  if (classes > model_classes) {
    return absl::InvalidArgumentError(absl::StrCat("the data has labels up to ", classes - 1,
                                                   ", the model has ", model_classes,
                                                   " classes; set model.params.classes"));
  }
  return absl::OkStatus();
}

}  // namespace rm::model
