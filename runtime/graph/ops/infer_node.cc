#include "runtime/graph/ops/infer_node.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "kernels/api/op_signature.h"
#include "kernels/api/shapes.h"

namespace rm::graph {
namespace {

// An absent operand keeps its place, as ONNX wants it.
std::vector<kernels::Operand> Operands(const std::vector<ValueId>& ids,
                                       const std::vector<kernels::TensorType>& types) {
  std::vector<kernels::Operand> operands;
  operands.reserve(ids.size());
  for (ValueId id : ids) {
    kernels::Operand operand;
    operand.present = id != kNoValue;
    if (operand.present) operand.type = types[static_cast<size_t>(id)];
    operands.push_back(std::move(operand));
  }
  return operands;
}

// A gradient has the type of what it belongs to, or the rule that made it is wrong.
absl::Status CheckLikes(const Graph& graph, const Node& node, const kernels::OpInstance& instance,
                        const std::vector<kernels::TensorType>& types) {
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    const ValueId like = graph.value(node.outputs[i]).like;
    if (like == kNoValue) continue;
    const kernels::TensorType& expected = types[static_cast<size_t>(like)];
    if (instance.outputs[i].type == expected) continue;
    return kernels::Misfit("its result is ", instance.outputs[i].type.ToString(), ", but it must be as '",
                  graph.value(like).name, "', ", expected.ToString());
  }
  return absl::OkStatus();
}

// "node 'fc1' (Gemm of [64, 784], [512, 783])".
std::string Describe(const Node& node, const kernels::OpInstance& instance) {
  const std::string shapes =
      absl::StrJoin(instance.inputs, ", ", [](std::string* out, const kernels::Operand& operand) {
        absl::StrAppend(out, operand.present ? operand.type.ToString() : "-");
      });
  return absl::StrCat("node '", node.name, "' (", node.op, " of ", shapes, ")");
}

// The checks that are the same for every operator, and the operator's own rule between them.
absl::Status Infer(const Graph& graph, const Node& node,
                   const std::vector<kernels::TensorType>& types, kernels::OpInstance* instance) {
  RM_RETURN_IF_ERROR(kernels::InferOutputs(instance));
  return CheckLikes(graph, node, *instance, types);
}

}  // namespace

kernels::OpInstance MakeInstance(const Node& node, const std::vector<kernels::TensorType>& types) {
  kernels::OpInstance instance;
  instance.op = node.op;
  instance.attributes = node.attributes;
  instance.inputs = Operands(node.inputs, types);
  instance.outputs = Operands(node.outputs, types);
  return instance;
}

absl::Status InferNode(const Graph& graph, const Node& node,
                       std::vector<kernels::TensorType>* types) {
  types->resize(graph.values().size());
  // What is like another value has that type from the start, for rules that cannot derive it.
  for (ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    const ValueId like = graph.value(output).like;
    if (like == kNoValue) continue;
    (*types)[static_cast<size_t>(output)] = (*types)[static_cast<size_t>(like)];
  }
  kernels::OpInstance instance = MakeInstance(node, *types);
  const absl::Status status = Infer(graph, node, *types, &instance);
  if (!status.ok()) return base::Annotate(status, Describe(node, instance));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    (*types)[static_cast<size_t>(node.outputs[i])] = instance.outputs[i].type;
  }
  return absl::OkStatus();
}

}  // namespace rm::graph
