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
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/tensor.h"

namespace rm::model {
namespace {

namespace pb = ::ringmaster::v1;

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

// The graph is built even where only the file's own is written: it tells which tensors have to be there.
absl::StatusOr<ringmaster::onnx::ModelProto> ToOnnx(const pb::ModelSpec& spec,
                                                    const base::FileSystem& files,
                                                    const onnx::Weights& weights) {
  {
    RM_ASSIGN_OR_RETURN(const graph::Graph graph, BuildGraph(spec));
    RM_RETURN_IF_ERROR(CheckFits(graph, weights));
    if (spec.onnx().empty()) return onnx::ExportGraph(graph, weights);
  }
  // The graph is let go of first: its tensors are as large as the file.
  RM_ASSIGN_OR_RETURN(auto original, onnx::ReadModel(files, spec.onnx()));
  const onnx::ExternalFiles external(&files, base::ParentPath(spec.onnx()));
  return onnx::WithWeights(std::move(original), external, weights);
}

}  // namespace rm::model
