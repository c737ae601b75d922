// A model from a file says its shapes only when a batch is bound, so it is bound more often
// than it is trained: to two small batches, without the weights.
#include "runtime/model/layout.h"

#include <algorithm>
#include <iterator>
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

// Two batches, to see which dimensions grow with the batch: of one alone nobody can tell a dimension
// that only happens to be as large.
constexpr int64_t kProbe = 3;
constexpr int64_t kLargerProbe = 5;

// The type of the output for a batch of `batch`.
absl::StatusOr<TensorType> OutputType(const Graph& model, const pb::ModelSpec& spec,
                                      int64_t batch) {
  Graph graph = model.WithoutInitialValues();
  RM_RETURN_IF_ERROR(graph::SwitchDropout(/*training=*/false, &graph));
  if (!spec.onnx().empty()) {
    RM_ASSIGN_OR_RETURN(graph, graph::BindBatch(graph, batch));
  }
  const ValueId output = graph.FindOutput(graph::kModelOutput);
  if (output == graph::kNoValue) return absl::InvalidArgumentError("the model has no output");
  RM_ASSIGN_OR_RETURN(const auto types, graph::InferTypes(graph, batch));
  return types[static_cast<size_t>(output)];
}

// Operators that pass on the numbers of their first input, in another type, shape or order.
bool KeepsNumbers(const graph::Node& node) {
  static constexpr const char* kOperators[] = {"Cast",    "Flatten",   "Identity", "Reshape",
                                               "Squeeze", "Transpose", "Unsqueeze"};
  return std::find(std::begin(kOperators), std::end(kOperators), node.op) != std::end(kOperators);
}

// The rows of the smallest table that `input` is an index into; 0 when it is none.
int64_t TableRows(const Graph& model, ValueId input) {
  int64_t rows = 0;
  const auto take = [&rows](int64_t found) {
    if (found > 0 && (rows == 0 || found < rows)) rows = found;
  };
  for (const graph::Node& node : model.nodes()) {
    if (KeepsNumbers(node) && !node.inputs.empty() && node.inputs[0] == input) {
      take(TableRows(model, node.outputs[0]));
    }
    if (node.op != "Gather" || node.inputs.size() < 2 || node.inputs[1] != input) continue;
    const graph::Value& table = model.value(node.inputs[0]);
    const auto rank = static_cast<int64_t>(table.shape.size());
    const int64_t given = node.attributes.Int("axis", 0);
    const int64_t axis = given < 0 ? given + rank : given;  // −1 is the last one
    if (!table.shape_known || axis < 0 || axis >= rank) continue;
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

// The output for each of the two batches.
struct Probes {
  TensorType output;
  TensorType larger;
};

// How many rows the first dimension has for each sample, where it grows with the batch and no other
// dimension does; 0: the rows are not the samples'. A model that puts the sequence before the batch,
// [sequence, batch, classes], is one of those.
int64_t RowsOfSample(const Probes& probes) {
  const Shape& shape = probes.output.shape;
  const Shape& larger = probes.larger.shape;
  if (shape.empty() || shape.size() != larger.size() || shape[0] % kProbe != 0) return 0;
  const int64_t rows = shape[0] / kProbe;
  const bool grows = larger[0] == rows * kLargerProbe;
  return grows && std::equal(shape.begin() + 1, shape.end(), larger.begin() + 1) ? rows : 0;
}

absl::Status Unfit(const Probes& probes, const pb::ModelSpec& spec, const char* wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("the model's output is ", probes.output.ToString(), " for a batch of ", kProbe,
                   " and ", probes.larger.ToString(), " for one of ", kLargerProbe, "; ",
                   spec.loss().empty() ? "softmax_cross_entropy" : spec.loss(), " needs ", wanted));
}

// Class indices: a label a row, the classes being the last dimension. Rows may be flattened, but then
// nothing else stands between them and the classes.
absl::Status SetClassTarget(const Probes& probes, const pb::ModelSpec& spec,
                            SampleLayout* layout) {
  const Shape& shape = probes.output.shape;
  const int64_t rows = RowsOfSample(probes);
  if (probes.output.dtype != kernels::DType::kFloat32 || shape.size() < 2 || rows == 0 ||
      (rows > 1 && shape.size() != 2)) {
    return Unfit(probes, spec, "float32 [batch, …, classes]");
  }
  layout->target.dtype = kernels::DType::kInt64;
  layout->target.shape.assign(shape.begin() + 1, shape.end() - 1);
  if (rows > 1) layout->target.shape.push_back(rows);
  layout->classes = shape.back();
  return absl::OkStatus();
}

// Numbers: as many as the output has for a sample.
absl::Status SetNumberTarget(const Probes& probes, const pb::ModelSpec& spec,
                             SampleLayout* layout) {
  const Shape& shape = probes.output.shape;
  if (probes.output.dtype != kernels::DType::kFloat32 || RowsOfSample(probes) != 1) {
    return Unfit(probes, spec, "float32 [batch, …]");
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
  Probes probes;
  RM_ASSIGN_OR_RETURN(probes.output, OutputType(model, spec, kProbe));
  RM_ASSIGN_OR_RETURN(probes.larger, OutputType(model, spec, kLargerProbe));
  RM_RETURN_IF_ERROR(HasClasses(spec) ? SetClassTarget(probes, spec, &layout)
                                      : SetNumberTarget(probes, spec, &layout));
  return layout;
}

}  // namespace rm::model
