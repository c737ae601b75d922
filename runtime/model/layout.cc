// A model from a file says its shapes only when a batch is bound, so it is bound once more than it
// is trained: to a small batch, without the weights.
#include "runtime/model/layout.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "kernels/api/tensor.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/prepare.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"

namespace rm::model {
namespace {

namespace pb = ::ringmaster::v1;
using data::SampleLayout;
using data::SampleTensor;
using graph::Graph;
using graph::ValueId;
using kernels::Shape;
using kernels::TensorType;

// A batch that no dimension of a model is likely to be by itself.
constexpr int64_t kProbe = 3;

// The type of the output for a batch of kProbe.
absl::StatusOr<TensorType> OutputType(const Graph& model, const pb::ModelSpec& spec) {
  Graph graph = model.WithoutInitialValues();
  RM_RETURN_IF_ERROR(graph::SwitchDropout(/*training=*/false, &graph));
  if (!spec.onnx().empty()) {
    RM_ASSIGN_OR_RETURN(graph, graph::BindBatch(graph, kProbe));
  }
  const ValueId output = graph.FindOutput(graph::kModelOutput);
  if (output == graph::kNoValue) return absl::InvalidArgumentError("the model has no output");
  RM_ASSIGN_OR_RETURN(const auto types, graph::InferTypes(graph, kProbe));
  return types[static_cast<size_t>(output)];
}

// The rows of the smallest table that `input` is an index into; 0 when it is none. A Cast in between
// changes the type and not the number.
int64_t TableRows(const Graph& model, ValueId input) {
  int64_t rows = 0;
  const auto take = [&rows](int64_t found) {
    if (found > 0 && (rows == 0 || found < rows)) rows = found;
  };
  for (const graph::Node& node : model.nodes()) {
    if (node.op == "Cast" && !node.inputs.empty() && node.inputs[0] == input) {
      take(TableRows(model, node.outputs[0]));
    }
    if (node.op != "Gather" || node.inputs.size() < 2 || node.inputs[1] != input) continue;
    const graph::Value& table = model.value(node.inputs[0]);
    const int64_t axis = node.attributes.Int("axis", 0);
    if (!table.shape_known || axis < 0 || axis >= static_cast<int64_t>(table.shape.size())) continue;
    take(table.shape[static_cast<size_t>(axis)]);
  }
  return rows;
}

// One input as one row a sample.
absl::StatusOr<SampleTensor> InputOf(const Graph& model, ValueId id) {
  const graph::Value& value = model.value(id);
  if (value.shape.empty() || value.shape[0] != graph::kBatch) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model's input '", value.name, "' is ", kernels::ShapeString(value.shape),
                     " for every batch; each input must have the batch as its first dimension"));
  }
  SampleTensor input;
  input.name = value.name;
  input.dtype = value.dtype;
  input.shape.assign(value.shape.begin() + 1, value.shape.end());
  if (value.dtype != kernels::DType::kFloat32) input.limit = TableRows(model, id);
  return input;
}

absl::Status Unfit(const TensorType& output, const pb::ModelSpec& spec, const char* wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("the model's output is ", output.ToString(), " for a batch of ", kProbe, "; ",
                   spec.loss().empty() ? "softmax_cross_entropy" : spec.loss(), " needs ", wanted));
}

// Class indices: a label a row, the classes being the last dimension. Rows may be flattened.
absl::Status SetClassTarget(const TensorType& output, const pb::ModelSpec& spec,
                            SampleLayout* layout) {
  const Shape& shape = output.shape;
  if (output.dtype != kernels::DType::kFloat32 || shape.size() < 2 || shape[0] % kProbe != 0) {
    return Unfit(output, spec, "float32 [batch, …, classes]");
  }
  layout->target.dtype = kernels::DType::kInt64;
  layout->target.shape.assign(shape.begin() + 1, shape.end() - 1);
  if (shape[0] != kProbe) {
    layout->target.shape.insert(layout->target.shape.begin(), shape[0] / kProbe);
  }
  layout->classes = shape.back();
  return absl::OkStatus();
}

// Numbers: as many as the output has for a sample.
absl::Status SetNumberTarget(const TensorType& output, const pb::ModelSpec& spec,
                             SampleLayout* layout) {
  const Shape& shape = output.shape;
  if (output.dtype != kernels::DType::kFloat32 || shape.empty() || shape[0] != kProbe) {
    return Unfit(output, spec, "float32 [batch, …]");
  }
  layout->target.dtype = kernels::DType::kFloat32;
  layout->target.shape.assign(shape.begin() + 1, shape.end());
  layout->target_is_share = spec.loss() == "sigmoid_binary_cross_entropy";
  return absl::OkStatus();
}

}  // namespace

// The two losses without classes; whatever else there is has some, or is refused when it is attached.
bool HasClasses(const pb::ModelSpec& spec) {
  return spec.loss() != "mse" && spec.loss() != "sigmoid_binary_cross_entropy";
}

absl::StatusOr<SampleLayout> LayoutOf(const Graph& model, const pb::ModelSpec& spec) {
  SampleLayout layout;
  layout.has_params = spec.onnx().empty();
  for (const ValueId id : model.inputs()) {
    RM_ASSIGN_OR_RETURN(layout.inputs.emplace_back(), InputOf(model, id));
  }
  if (layout.inputs.empty()) return absl::InvalidArgumentError("the model has no input");
  RM_ASSIGN_OR_RETURN(const TensorType output, OutputType(model, spec));
  RM_RETURN_IF_ERROR(HasClasses(spec) ? SetClassTarget(output, spec, &layout)
                                      : SetNumberTarget(output, spec, &layout));
  return layout;
}

}  // namespace rm::model
