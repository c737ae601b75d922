// New values in the graph of a file.
//
// Nothing of the file is interpreted but what has to be: the initializers, and the Identity nodes that
// stand for some of them. So a file with operators that we read in a form of our own goes back exactly
// as it came, and whatever could run it before can run it now.
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/onnx/export.h"
#include "runtime/onnx/roles.h"
#include "runtime/onnx/sort.h"
#include "runtime/tensorfile/half.h"

namespace rm::onnx {
namespace {

using ringmaster::onnx::GraphProto;
using ringmaster::onnx::ModelProto;
using ringmaster::onnx::NodeProto;
using ringmaster::onnx::TensorProto;

template <typename T, typename Convert>
std::string Encode(absl::Span<const float> values, const Convert& convert) {
  std::string bytes(values.size() * sizeof(T), '\0');
  for (size_t i = 0; i < values.size(); ++i) {
    const T element = convert(values[i]);
    std::memcpy(bytes.data() + i * sizeof(T), &element, sizeof(T));
  }
  return bytes;
}

// Takes every kind of data out of the tensor and puts raw bytes in.
void SetRaw(std::string bytes, TensorProto* tensor) {
  tensor->clear_float_data();
  tensor->clear_int32_data();
  tensor->clear_int64_data();
  tensor->clear_double_data();
  tensor->clear_uint64_data();
  tensor->clear_external_data();
  tensor->clear_data_location();
  tensor->set_raw_data(std::move(bytes));
}

// Weights are float32 here; a file in half precision stays one, and its values are rounded.
absl::Status SetValues(absl::Span<const float> values, TensorProto* tensor) {
  uint64_t elements = 1;
  for (int64_t dimension : tensor->dims()) elements *= static_cast<uint64_t>(dimension);
  if (elements != values.size()) {
    return absl::InvalidArgumentError(absl::StrCat("'", tensor->name(), "' has ", elements,
                                                   " elements in the model, not ", values.size()));
  }
  switch (tensor->data_type()) {
    case TensorProto::FLOAT:
      SetRaw(Encode<float>(values, [](float x) { return x; }), tensor);
      return absl::OkStatus();
    case TensorProto::DOUBLE:
      SetRaw(Encode<double>(values, [](float x) { return static_cast<double>(x); }), tensor);
      return absl::OkStatus();
    case TensorProto::FLOAT16:
      SetRaw(Encode<uint16_t>(values, &tensorfile::FloatToHalf), tensor);
      return absl::OkStatus();
    case TensorProto::BFLOAT16:
      SetRaw(Encode<uint16_t>(values, &tensorfile::FloatToBfloat16), tensor);
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "'", tensor->name(), "' is ", ElementTypeName(tensor->data_type()), " in the model"));
  }
}

// The Identity nodes go, their outputs become initializers with a copy of what they handed out.
absl::Status SettleAliases(GraphProto* graph) {
  std::set<std::string> known;
  std::map<std::string, int> index;
  for (int i = 0; i < graph->initializer_size(); ++i) {
    known.insert(graph->initializer(i).name());
    index[graph->initializer(i).name()] = i;
  }
  for (const auto& input : graph->input()) known.insert(input.name());
  RM_ASSIGN_OR_RETURN(const std::vector<int> order, SortNodes(*graph, known));
  const std::map<std::string, std::string> aliases = FindAliases(*graph, order);
  for (const auto& [alias, root] : aliases) {
    TensorProto copy = graph->initializer(index[root]);
    copy.set_name(alias);
    *graph->add_initializer() = std::move(copy);
  }
  google::protobuf::RepeatedPtrField<NodeProto> kept;
  for (NodeProto& node : *graph->mutable_node()) {
    const bool is_alias = node.output_size() == 1 && aliases.count(node.output(0)) > 0;
    if (!is_alias) kept.Add(std::move(node));
  }
  graph->mutable_node()->Swap(&kept);
  return absl::OkStatus();
}

// Names that something reads: nodes, or whoever asks for an output.
std::set<std::string> NamesInUse(const GraphProto& graph) {
  std::set<std::string> used;
  for (const NodeProto& node : graph.node()) used.insert(node.input().begin(), node.input().end());
  for (const auto& output : graph.output()) used.insert(output.name());
  return used;
}

// The running statistics that a node in training hands out: they go, unless somebody reads them.
void DropStatistics(const std::set<std::string>& used, NodeProto* node) {
  while (node->output_size() > 1) {
    const std::string& last = node->output(node->output_size() - 1);
    if (!last.empty() && used.count(last) > 0) return;
    node->mutable_output()->RemoveLast();
  }
}

// Exports for training say so in the graph, and a runtime that takes them by their word would normalise
// by its batch and drop at random. What is written is the model in use, as the engine computes it.
void LeaveTraining(GraphProto* graph) {
  const std::set<std::string> used = NamesInUse(*graph);
  for (NodeProto& node : *graph->mutable_node()) {
    if (node.op_type() == "Dropout" && node.input_size() > 2) node.mutable_input()->RemoveLast();
    if (node.op_type() != "BatchNormalization") continue;
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.name() == "training_mode") attribute.set_i(0);
    }
    DropStatistics(used, &node);
  }
}

}  // namespace

absl::StatusOr<ModelProto> WithWeights(ModelProto original, const ExternalFiles& external,
                                       const Weights& weights) {
  GraphProto* graph = original.mutable_graph();
  RM_RETURN_IF_ERROR(SettleAliases(graph));
  LeaveTraining(graph);
  std::set<std::string> left;
  for (const auto& [name, values] : weights) left.insert(name);
  for (TensorProto& tensor : *graph->mutable_initializer()) {
    const auto it = weights.find(tensor.name());
    if (it != weights.end()) {
      RM_RETURN_IF_ERROR(SetValues(it->second, &tensor));
      left.erase(tensor.name());
    } else if (tensor.data_location() == TensorProto::EXTERNAL) {
      RM_ASSIGN_OR_RETURN(std::string bytes, external.ReadAll(tensor));
      SetRaw(std::move(bytes), &tensor);
    }
  }
  if (left.empty()) return original;
  return absl::InvalidArgumentError(
      absl::StrCat("the model has no initializer '", *left.begin(), "'"));
}

}  // namespace rm::onnx
