// Two ways out, by where the model came from; what they have in common is that weights and graph must
// belong together, which is seen before anything is written.
#include "runtime/model/export.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "kernels/api/tensor.h"
#include "runtime/model/model.h"
#include "runtime/model/weights.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/model_file.h"

namespace rm::model {
namespace {

namespace pb = ::ringmaster::v1;
using ringmaster::onnx::ModelProto;

// What is wrong with the tensor for one parameter or buffer; empty when it fits.
std::string Mismatch(const graph::Value& value, const onnx::Weights& weights) {
  const auto found = weights.find(value.name);
  if (found == weights.end()) return absl::StrCat("'", value.name, "' is missing");
  const int64_t elements = kernels::ElementCount(value.shape);
  if (static_cast<int64_t>(found->second.size()) == elements) return "";
  return absl::StrCat("'", value.name, "' has ", found->second.size(), " elements, the model's ",
                      elements);
}

bool IsWeight(const graph::Value& value) {
  return value.kind == graph::ValueKind::kParameter || value.kind == graph::ValueKind::kBuffer;
}

}  // namespace

// Both directions, so that a checkpoint of another model is seen as one at a glance.
absl::Status CheckFits(const graph::Graph& graph, const onnx::Weights& weights) {
  std::vector<std::string> problems;
  for (const graph::Value& value : graph.values()) {
    if (!IsWeight(value)) continue;
    std::string problem = Mismatch(value, weights);
    if (!problem.empty()) problems.push_back(std::move(problem));
  }
  for (const auto& [name, values] : weights) {
    const graph::ValueId id = graph.FindValue(name);
    if (id != graph::kNoValue && IsWeight(graph.value(id))) continue;
    problems.push_back(absl::StrCat("'", name, "' is not of the model"));
  }
  if (problems.empty()) return absl::OkStatus();
  std::string more;
  if (problems.size() > kWeightProblemsMax) {
    more = absl::StrCat("; and ", problems.size() - kWeightProblemsMax, " more");
    problems.resize(kWeightProblemsMax);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the weights do not fit the model: ", absl::StrJoin(problems, "; "), more));
}

// The graph is made even where only the file's own is written: it tells which tensors have to be there. It is let go of before
// anything is written, as its tensors are as large as the file.
absl::StatusOr<ModelProto> ToOnnx(ModelProto original, const onnx::ExternalFiles& external,
                                  const onnx::Weights& weights) {
  {
    RM_ASSIGN_OR_RETURN(const onnx::ImportedModel imported, onnx::ImportModel(original, external));
    RM_RETURN_IF_ERROR(CheckFits(imported.graph, weights));
  }
  return onnx::WithWeights(std::move(original), external, weights);
}

// Freezing a parameter makes a buffer of it, which goes out like any other: patterns do not matter here.
absl::StatusOr<ModelProto> ToOnnx(const pb::ModelSpec& spec, const base::FileSystem& files,
                                  const onnx::Weights& weights) {
  if (!spec.onnx().empty()) {
    RM_ASSIGN_OR_RETURN(ModelProto original, onnx::ReadModel(files, spec.onnx()));
    const onnx::ExternalFiles external(&files, base::ParentPath(spec.onnx()));
    return ToOnnx(std::move(original), external, weights);
  }
  RM_ASSIGN_OR_RETURN(const graph::Graph graph, BuildGraph(spec));
  RM_RETURN_IF_ERROR(CheckFits(graph, weights));
  return onnx::ExportGraph(graph, weights);
}

}  // namespace rm::model
