#include "runtime/graph/precision.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kernels/api/bfloat16_form.h"
#include "runtime/graph/ops/op_rule.h"
#include "runtime/graph/uses.h"

namespace rm::graph {
namespace {

using kernels::Bfloat16Form;
using kernels::Bfloat16Use;
using kernels::DType;

bool IsView(const Node& node) {
  const OpRule* rule = FindOp(node.op);
  return rule != nullptr && rule->trait == OpTrait::kView;
}

// Takes the nodes out of the graph and puts them back one by one, with casts between them. A value
// keeps the type in which its node writes it; a cast version is a value of its own.
class Bfloat16Pass {
 public:
  explicit Bfloat16Pass(TypedGraph* typed)
      : typed_(typed),
        uses_(FindUses(typed->graph)),
        is_gradient_(typed->graph.values().size(), false) {}

  void Run() {
    std::vector<Node> nodes;
    nodes.swap(typed_->graph.mutable_nodes());
    for (Node& node : nodes) Settle(std::move(node));
  }

 private:
  void Settle(Node node) {
    if (IsView(node)) {
      Pass(&node);
    } else {
      const Bfloat16Form* form = kernels::FindBfloat16Form(node.op);
      Compute(form != nullptr && Narrows(node, *form) ? form : nullptr, &node);
    }
    const std::vector<ValueId> outputs = node.outputs;
    const bool backward = node.backward;
    typed_->graph.mutable_nodes().push_back(std::move(node));
    for (ValueId output : outputs) {
      if (output == kNoValue) continue;
      is_gradient_[static_cast<size_t>(output)] = backward;
      if (uses_.is_kept(output)) Deliver(output, backward);
    }
  }

  // A view has one type on both sides: going back that of the gradient, else that of its operand.
  void Pass(Node* node) {
    const DType operand = typed_->type(node->inputs[0]).dtype;
    if (operand != DType::kFloat32 && operand != DType::kBfloat16) return;
    const ValueId like = LivingLike(*node);
    const DType dtype = like == kNoValue ? operand : typed_->type(like).dtype;
    node->inputs[0] = Version(node->inputs[0], dtype, node->backward);
    typed_->type(node->outputs[0]).dtype = dtype;
  }

  // In the form, or in float32 where there is none.
  void Compute(const Bfloat16Form* form, Node* node) {
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      if (node->inputs[i] == kNoValue) continue;
      const bool narrow = form != nullptr && form->takes(i);
      const DType dtype = narrow ? DType::kBfloat16 : DType::kFloat32;
      node->inputs[i] = Version(node->inputs[i], dtype, node->backward);
    }
    for (size_t i = 0; form != nullptr && i < node->outputs.size(); ++i) {
      if (node->outputs[i] == kNoValue || !form->gives(i)) continue;
      typed_->type(node->outputs[i]).dtype = DType::kBfloat16;
    }
  }

  // Whether the node computes in its form. One that follows goes by what it reads of the forward pass;
  // a gradient that reads nothing of it, by the value that it belongs to.
  bool Narrows(const Node& node, const Bfloat16Form& form) const {
    if (form.use == Bfloat16Use::kAlways) return true;
    bool all = true;      // operands that the form takes are bfloat16
    bool forward = true;  // those of them that the forward pass wrote
    bool reads_forward = false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = node.inputs[i];
      if (input == kNoValue || !form.takes(i)) continue;
      const bool narrow = typed_->type(input).dtype == DType::kBfloat16;
      all = all && narrow;
      if (is_gradient_[static_cast<size_t>(input)]) continue;
      reads_forward = true;
      forward = forward && narrow;
    }
    if (!node.backward) return all;
    if (reads_forward) return forward;
    const ValueId like = LivingLike(node);
    return like == kNoValue ? all : typed_->type(like).dtype == DType::kBfloat16;
  }

  // What the result is the gradient of, where that value still exists: fusion leaves some that nobody
  // writes any more, and their types say nothing.
  ValueId LivingLike(const Node& node) const {
    if (!node.backward || node.outputs.empty() || node.outputs[0] == kNoValue) return kNoValue;
    const ValueId like = typed_->graph.value(node.outputs[0]).like;
    if (like == kNoValue) return kNoValue;
    const bool written = uses_.writer_of(like) != kNoNode;
    return written || typed_->graph.value(like).kind != ValueKind::kNode ? like : kNoValue;
  }

  // The value in a type: itself, or the result of a Cast, made when it is first asked for. What is no
  // float stays what it is.
  ValueId Version(ValueId value, DType dtype, bool backward) {
    const DType now = typed_->type(value).dtype;
    if (now == dtype || (now != DType::kFloat32 && now != DType::kBfloat16)) return value;
    const auto known = casts_.find(value);
    if (known != casts_.end()) return known->second;
    Graph& graph = typed_->graph;
    const char* const to = kernels::DTypeName(dtype);
    const ValueId version =
        graph.AddDetachedValue(absl::StrCat(graph.value(value).name, "/", to), value);
    typed_->types.resize(graph.values().size());
    typed_->type(version) = typed_->type(value);
    typed_->type(version).dtype = dtype;
    Node cast;
    cast.name = graph.value(version).name;
    cast.op = "Cast";
    cast.attributes.Set("to", std::string(to));
    cast.inputs = {value};
    cast.outputs = {version};
    cast.backward = backward;
    graph.mutable_nodes().push_back(std::move(cast));
    casts_[value] = version;
    return version;
  }

  // What is read outside the graph is read in float32.
  void Deliver(ValueId value, bool backward) {
    if (typed_->type(value).dtype != DType::kBfloat16) return;
    const ValueId wide = Version(value, DType::kFloat32, backward);
    Graph& graph = typed_->graph;
    const std::map<std::string, ValueId> outputs = graph.outputs();
    for (const auto& [name, output] : outputs) {
      if (output == value) graph.MarkOutput(name, wide);
    }
    const std::map<ValueId, ValueId> gradients = graph.gradients();
    for (const auto& [of, gradient] : gradients) {
      if (gradient == value) graph.SetGradient(of, wide);
    }
  }

  TypedGraph* const typed_;
  const Uses uses_;                // of the graph as it came
  std::vector<bool> is_gradient_;  // by ValueId of the graph as it came: written going back
  std::map<ValueId, ValueId> casts_;
};

}  // namespace

const char* PrecisionName(Precision precision) {
  return precision == Precision::kBfloat16 ? "bf16" : "fp32";
}

absl::StatusOr<Precision> FindPrecision(absl::string_view name) {
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    if (name == PrecisionName(precision)) return precision;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("precision '", name, "' is unknown; possible: fp32, bf16"));
}

void UseBfloat16(TypedGraph* graph) { Bfloat16Pass(graph).Run(); }

}  // namespace rm::graph
