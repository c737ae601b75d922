// Differentiate: reverse-mode autodiff over the graph.
//
// Walks the forward nodes backwards. When a node's turn comes, all readers of its outputs have been
// visited, so the gradients of its outputs are complete: they are summed, and the node's rule turns
// them into contributions to the gradients of its inputs.
//
// For y = x·w, z = y + y, loss(z) the walk is
//
//   loss   arrives: scale              contributes dz = LossGrad(…, scale)  to z
//   z      arrives: dz                 contributes dz, dz                   to y
//   y      arrives: dz, dz             dy = Add(dz, dz), contributes dw = xᵀ·dy to w
//   w      arrives: dw                 the parameter's gradient
//
// and nothing is computed for x, behind which there is no parameter. Only float32 values carry
// gradients: an operator that makes truth values or whole numbers ends the path. The gradient of
// the loss itself is the input `scale`, one over the weight of the step's samples over all ranks:
// so gradients are sums over samples divided once, and never means of means.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status.h"
#include "runtime/graph/ops/gradient_context.h"
#include "runtime/graph/ops/infer_node.h"
#include "runtime/graph/ops/op_rule.h"
#include "runtime/graph/training.h"
#include "runtime/graph/types.h"

namespace rm::graph {
namespace {

// Rules look at ranks and fixed dimensions alone, so any batch will do; at 1 a batch could be
// mistaken for a dimension to broadcast.
constexpr int64_t kProbeBatch = 2;

class Differentiator {
 public:
  Differentiator(Graph* graph, std::vector<kernels::TensorType> types)
      : graph_(graph),
        types_(std::move(types)),
        forward_nodes_(graph->nodes().size()),
        depends_(graph->values().size(), false),
        reaches_(graph->values().size(), false),
        contributions_(graph->values().size()) {}

  // Appends the backward pass of `loss`, whose own gradient is `seed`.
  absl::Status Run(ValueId loss, ValueId seed) {
    FindDependents();
    FindAncestors(loss);
    RM_RETURN_IF_ERROR(CheckRules());
    contributions_[Index(loss)].push_back(seed);
    for (size_t i = forward_nodes_; i-- > 0;) {
      if (OnPath(graph_->nodes()[i])) RM_RETURN_IF_ERROR(DifferentiateNode(i));
    }
    for (ValueId parameter : graph_->parameters()) Sum(parameter);
    return absl::OkStatus();
  }

 private:
  static size_t Index(ValueId id) { return static_cast<size_t>(id); }

  bool Depends(ValueId id) const { return id != kNoValue && depends_[Index(id)]; }

  // depends_: the value is a parameter or computed from one, by floats all the way. What is
  // computed from the answer to a comparison, or from an index, does not change with its operands.
  void FindDependents() {
    for (ValueId parameter : graph_->parameters()) depends_[Index(parameter)] = true;
    for (const Node& node : graph_->nodes()) {
      bool any = false;
      for (ValueId input : node.inputs) any = any || Depends(input);
      for (ValueId output : node.outputs) {
        if (output != kNoValue) depends_[Index(output)] = any && IsFloat(output);
      }
    }
  }

  bool IsFloat(ValueId id) const {
    return types_[Index(id)].dtype == kernels::DType::kFloat32;
  }

  // reaches_: the loss is computed from the value, by floats all the way.
  void FindAncestors(ValueId loss) {
    reaches_[Index(loss)] = true;
    for (size_t i = forward_nodes_; i-- > 0;) {
      const Node& node = graph_->nodes()[i];
      if (!ReachesLoss(node)) continue;
      for (ValueId input : node.inputs) {
        if (input != kNoValue) reaches_[Index(input)] = true;
      }
    }
  }

  // Whether the loss is computed from any result of the node that could carry a gradient.
  bool ReachesLoss(const Node& node) const {
    for (ValueId output : node.outputs) {
      if (output != kNoValue && reaches_[Index(output)] && IsFloat(output)) return true;
    }
    return false;
  }

  // Between a parameter and the loss: the nodes that are differentiated.
  bool OnPath(const Node& node) const {
    bool depends = false;
    for (ValueId input : node.inputs) depends = depends || Depends(input);
    return depends && ReachesLoss(node);
  }

  // Every operator between a parameter and the loss has a gradient rule.
  absl::Status CheckRules() const {
    std::vector<std::string> missing;
    for (const Node& node : graph_->nodes()) {
      const OpRule* rule = FindOp(node.op);
      if (!OnPath(node) || (rule != nullptr && rule->differentiate != nullptr)) continue;
      missing.push_back(absl::StrCat(node.op, " (node '", node.name, "')"));
    }
    if (missing.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("no gradient rule for ",
                                                   absl::StrJoin(missing, ", "),
                                                   ", between a parameter and the loss"));
  }

  // Sums what has arrived at the node's outputs, applies its rule, and hands the gradients of its
  // operands on. An operand that occurs twice, as in Add(x, x), gets two contributions.
  absl::Status DifferentiateNode(size_t index) {
    const Node& node = graph_->nodes()[index];
    const OpRule* rule = FindOp(node.op);
    const std::vector<ValueId> inputs = node.inputs;
    const std::vector<ValueId> outputs = node.outputs;
    std::vector<bool> wanted;
    for (ValueId input : inputs) wanted.push_back(Depends(input));
    std::vector<ValueId> gradients;
    bool any = false;
    for (ValueId output : outputs) {
      gradients.push_back(output == kNoValue ? kNoValue : Sum(output));
      any = any || gradients.back() != kNoValue;
    }
    if (!any) return absl::OkStatus();
    GradientContext context(index, std::move(gradients), std::move(wanted), graph_, &types_);
    RM_RETURN_IF_ERROR(
        base::Annotate(rule->differentiate(&context),
                       absl::StrCat("node '", context.node().name, "' (", context.node().op, ")")));
    for (size_t i = 0; i < inputs.size(); ++i) {
      const ValueId gradient = context.input_gradients()[i];
      if (gradient != kNoValue) contributions_[Index(inputs[i])].push_back(gradient);
    }
    return absl::OkStatus();
  }

  // Contributions are added pairwise in the order of arrival, which is that of the nodes from last
  // to first: the same graph has the same sums, to the bit. Kernels of Add work in place, so a long
  // sum takes the memory of two of its parts. The sum of what has arrived at a value, kNoValue when
  // nothing has.
  ValueId Sum(ValueId value) {
    if (Index(value) >= contributions_.size()) return kNoValue;  // an output added on the way
    std::vector<ValueId>& parts = contributions_[Index(value)];
    if (parts.empty()) return kNoValue;
    ValueId sum = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) {
      const std::string name = absl::StrCat(graph_->value(value).name, "/sum");
      sum = graph_->AddBackwardNode("Add", name, {sum, parts[i]}, {value})[0];
      const absl::Status status = InferNode(*graph_, graph_->nodes().back(), &types_);
      RM_CHECK(status.ok(), status.ToString());
    }
    parts.assign(1, sum);
    graph_->SetGradient(value, sum);
    return sum;
  }

  Graph* const graph_;
  std::vector<kernels::TensorType> types_;
  // Backward nodes are appended behind these while the walk is under way.
  const size_t forward_nodes_;
  std::vector<bool> depends_;
  std::vector<bool> reaches_;
  // By ValueId of the forward pass: gradients that have arrived and are to be summed.
  std::vector<std::vector<ValueId>> contributions_;
};

}  // namespace

absl::Status Differentiate(Graph* graph) {
  const ValueId loss = graph->FindOutput(kLossSum);
  const ValueId scale = graph->FindValue(kScale);
  if (loss == kNoValue || scale == kNoValue) {
    return absl::FailedPreconditionError("the graph has no loss: attach one before Differentiate");
  }
  if (!graph->gradients().empty()) {
    return absl::FailedPreconditionError("the graph has a backward pass already");
  }
  RM_ASSIGN_OR_RETURN(std::vector<kernels::TensorType> types, InferTypes(*graph, kProbeBatch));
  return Differentiator(graph, std::move(types)).Run(loss, scale);
}

}  // namespace rm::graph
