// Shape rules as tables of cases: an operator, its operands' types, and the result or the error.
#ifndef RM_RUNTIME_GRAPH_OPS_RULE_TESTING_H_
#define RM_RUNTIME_GRAPH_OPS_RULE_TESTING_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/graph/types.h"

namespace rm::graph {

using Ints = std::vector<int64_t>;

// Shorthand for an operand: "[2, 3]" is float32, "labels" of int64 are Int64({2}).
inline kernels::TensorType Float(kernels::Shape shape) {
  return {kernels::DType::kFloat32, std::move(shape), kernels::Layout::kPlain};
}
inline kernels::TensorType Int64(kernels::Shape shape) {
  return {kernels::DType::kInt64, std::move(shape), kernels::Layout::kPlain};
}
inline kernels::TensorType UInt8(kernels::Shape shape) {
  return {kernels::DType::kUInt8, std::move(shape), kernels::Layout::kPlain};
}

// One use of an operator. `likes` are the types that the outputs must have, as gradients do; else
// there are `outputs` of them, free.
struct RuleCase {
  std::string op;
  std::vector<kernels::TensorType> inputs;
  kernels::Attributes attributes = {};
  int outputs = 1;
  std::vector<kernels::TensorType> likes = {};
};

// The outputs' types, "[2, 3], uint8 [2, 3]", or the error's message behind "node 'n' (…): ".
inline std::string Infer(const RuleCase& rule) {
  Graph graph;
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < rule.inputs.size(); ++i) {
    inputs.push_back(
        graph.AddInput(absl::StrCat("in", i), rule.inputs[i].dtype, rule.inputs[i].shape));
  }
  std::vector<ValueId> outputs;
  if (rule.likes.empty()) {
    outputs = graph.AddNodeWithOutputs(rule.op, "n", inputs, rule.outputs, rule.attributes);
  } else {
    std::vector<ValueId> likes;
    for (size_t i = 0; i < rule.likes.size(); ++i) {
      likes.push_back(
          graph.AddInput(absl::StrCat("like", i), rule.likes[i].dtype, rule.likes[i].shape));
    }
    outputs = graph.AddBackwardNode(rule.op, "n", inputs, likes, rule.attributes);
  }
  const auto types = InferTypes(graph, 1);
  if (!types.ok()) {
    const std::string message(types.status().message());
    return message.substr(message.find("): ") + 3);
  }
  return absl::StrJoin(outputs, ", ", [&](std::string* out, ValueId id) {
    absl::StrAppend(out, (*types)[static_cast<size_t>(id)].ToString());
  });
}

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_OPS_RULE_TESTING_H_
