#include "runtime/graph/kernel_choice.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/graph/ops/infer_node.h"
#include "runtime/graph/ops/op_rule.h"
#include "runtime/graph/uses.h"
#include "runtime/graph/view.h"

namespace rm::graph {
namespace {

using kernels::KernelEntry;
using kernels::KernelOptions;
using kernels::KernelTable;
using kernels::Layout;
using kernels::LayoutChoice;
using kernels::Operand;
using kernels::OpInstance;

// An instance in the layouts that `entry` wants; entry is nullptr when the table has none.
struct Choice {
  const KernelEntry* entry = nullptr;
  OpInstance instance;
};

// Every operand in one layout.
OpInstance InLayout(OpInstance instance, Layout layout) {
  for (Operand& operand : instance.inputs) operand.type.layout = layout;
  for (Operand& operand : instance.outputs) operand.type.layout = layout;
  return instance;
}

// Each operand in the layout chosen for it.
OpInstance WithLayouts(OpInstance instance, const LayoutChoice& choice) {
  for (size_t i = 0; i < instance.inputs.size(); ++i) {
    instance.inputs[i].type.layout = choice.inputs[i];
  }
  for (size_t i = 0; i < instance.outputs.size(); ++i) {
    instance.outputs[i].type.layout = choice.outputs[i];
  }
  return instance;
}

// Every operand that is present has the same shape.
bool SameShapes(const OpInstance& instance) {
  const auto same = [&](const Operand& operand) {
    return !operand.present || operand.type.shape == instance.outputs[0].type.shape;
  };
  return std::all_of(instance.inputs.begin(), instance.inputs.end(), same) &&
         std::all_of(instance.outputs.begin(), instance.outputs.end(), same);
}

// Takes the nodes out of the graph and puts them back one by one, settled, with reorders between
// them. A value keeps the layout in which its node writes it; a reordered version is a value of its
// own, known by (value, layout).
class KernelChooser {
 public:
  KernelChooser(KernelTable table, const KernelOptions& options, bool blocked, TypedGraph* typed)
      : table_(table),
        options_(options),
        blocked_(blocked),
        typed_(typed),
        kept_(FindUses(typed->graph).kept) {}

  absl::StatusOr<std::vector<const KernelEntry*>> Run() {
    std::vector<Node> nodes;
    nodes.swap(typed_->graph.mutable_nodes());
    for (Node& node : nodes) Settle(std::move(node));
    if (!missing_.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("no kernel for ", absl::StrJoin(missing_, "; ")));
    }
    return std::move(entries_);
  }

 private:
  // Appends the node with its kernel, after the reorders of its operands.
  void Settle(Node node) {
    const OpInstance now = MakeInstance(node, typed_->types);
    const Choice choice = Choose(node, now);
    if (choice.entry == nullptr && !IsView(choice.instance)) {
      missing_.push_back(absl::StrCat("node '", node.name, "': ", now.ToString()));
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue) continue;
      node.inputs[i] =
          Version(node.inputs[i], choice.instance.inputs[i].type.layout, node.backward);
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      typed_->type(node.outputs[i]).layout = choice.instance.outputs[i].type.layout;
    }
    const std::vector<ValueId> outputs = node.outputs;
    const bool backward = node.backward;
    Append(std::move(node), choice.entry);
    for (ValueId output : outputs) {
      if (output != kNoValue && kept_[static_cast<size_t>(output)]) Deliver(output, backward);
    }
  }

  // The list of nodes and the list of entries grow together.
  void Append(Node node, const KernelEntry* entry) {
    typed_->graph.mutable_nodes().push_back(std::move(node));
    entries_.push_back(entry);
  }

  // Element-wise operators follow their operands, others ask the table, and what nobody wants in
  // blocks runs in plain layout.
  Choice Choose(const Node& node, const OpInstance& now) const {
    const OpRule* rule = FindOp(node.op);
    const bool free = rule != nullptr && rule->trait == OpTrait::kElementwise && SameShapes(now);
    if (blocked_ && free) {
      for (Layout layout : CheapestFirst(node)) {
        OpInstance instance = InLayout(now, layout);
        const KernelEntry* entry = kernels::FindKernel(table_, instance);
        if (entry != nullptr) return {entry, std::move(instance)};
      }
    }
    if (blocked_ && !free) {
      for (const KernelEntry& entry : table_) {
        if (node.op != entry.op) continue;
        OpInstance instance = Wanted(entry, now);
        if (entry.supports(instance)) return {&entry, std::move(instance)};
      }
    }
    OpInstance plain = InLayout(now, Layout::kPlain);
    const KernelEntry* entry = kernels::FindKernel(table_, plain);
    return {entry, std::move(plain)};
  }

  // The instance as the entry wants it.
  OpInstance Wanted(const KernelEntry& entry, const OpInstance& now) const {
    if (entry.choose_layouts == nullptr) return InLayout(now, Layout::kPlain);
    return WithLayouts(now, entry.choose_layouts(now, options_));
  }

  // The layouts in which some input exists, by the bytes to reorder for the others. A blocked
  // layout wins a tie: the neighbours of a blocked value are blocked, too.
  std::vector<Layout> CheapestFirst(const Node& node) const {
    std::map<Layout, size_t> costs = {{Layout::kPlain, 0}};
    for (ValueId input : node.inputs) costs[typed_->type(input).layout] = 0;
    std::vector<std::pair<size_t, Layout>> order;
    for (auto& [layout, cost] : costs) {
      for (ValueId input : node.inputs) {
        if (!HasVersion(input, layout)) cost += typed_->type(input).bytes();
      }
      order.emplace_back(cost, layout);
    }
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    });
    std::vector<Layout> layouts;
    for (const auto& [cost, layout] : order) layouts.push_back(layout);
    return layouts;
  }

  bool HasVersion(ValueId value, Layout layout) const {
    return typed_->type(value).layout == layout || versions_.count({value, layout}) > 0;
  }

  // The value in a layout: itself, or the result of a Reorder, made when it is first asked for.
  ValueId Version(ValueId value, Layout layout, bool backward) {
    if (typed_->type(value).layout == layout) return value;
    const auto known = versions_.find({value, layout});
    if (known != versions_.end()) return known->second;
    const ValueId version = AppendReorder(value, layout, backward);
    versions_[{value, layout}] = version;
    return version;
  }

  // Belongs to the pass of the node that asked first: what only the backward pass reads in another
  // layout is reordered there.
  ValueId AppendReorder(ValueId value, Layout layout, bool backward) {
    Graph& graph = typed_->graph;
    const std::string name =
        absl::StrCat(graph.value(value).name, "/", kernels::LayoutName(layout));
    const ValueId version = graph.AddDetachedValue(name, value);
    typed_->types.resize(graph.values().size());
    typed_->type(version) = typed_->type(value);
    typed_->type(version).layout = layout;
    Node node;
    node.name = graph.value(version).name;
    node.op = "Reorder";
    node.inputs = {value};
    node.outputs = {version};
    node.backward = backward;
    const OpInstance instance = MakeInstance(node, typed_->types);
    const KernelEntry* entry = kernels::FindKernel(table_, instance);
    if (entry == nullptr && !IsView(instance)) {
      missing_.push_back(absl::StrCat("node '", node.name, "': ", instance.ToString()));
    }
    Append(std::move(node), entry);
    return version;
  }

  // What is read outside the graph is read in plain layout.
  void Deliver(ValueId value, bool backward) {
    const ValueId plain = Version(value, Layout::kPlain, backward);
    if (plain == value) return;
    Graph& graph = typed_->graph;
    const std::map<std::string, ValueId> outputs = graph.outputs();
    for (const auto& [name, output] : outputs) {
      if (output == value) graph.MarkOutput(name, plain);
    }
    const std::map<ValueId, ValueId> gradients = graph.gradients();
    for (const auto& [of, gradient] : gradients) {
      if (gradient == value) graph.SetGradient(of, plain);
    }
  }

  const KernelTable table_;
  const KernelOptions options_;
  const bool blocked_;
  TypedGraph* const typed_;
  const std::vector<bool> kept_;  // by ValueId of the graph as it came
  std::map<std::pair<ValueId, Layout>, ValueId> versions_;
  std::vector<const KernelEntry*> entries_;
  std::vector<std::string> missing_;
};

}  // namespace

absl::StatusOr<std::vector<const KernelEntry*>> ChooseKernels(KernelTable table,
                                                              const KernelOptions& options,
                                                              bool blocked, TypedGraph* graph) {
  return KernelChooser(table, options, blocked, graph).Run();
}

}  // namespace rm::graph
