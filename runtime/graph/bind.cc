// One walk over the model makes the bound graph, a second one copies what its outputs need.
//
// The walk is in the model's order, which is topological, so that every operand of a node has been
// bound and its type and perhaps its content are known. There is no iteration to a fixed point: one
// walk is enough, since nothing that comes later can tell more about what came before.
#include "runtime/graph/bind.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status.h"
#include "kernels/api/op_signature.h"
#include "runtime/graph/bind/binders.h"

namespace rm::graph {
namespace {

// Nodes named for one missing operator; there may be thousands.
constexpr size_t kNodesNamedMax = 3;

const BinderEntry* FindBinder(absl::string_view op) {
  for (const BinderEntry& entry : BinderTable()) {
    if (op == entry.op) return &entry;
  }
  return nullptr;
}

// A binder whose result has no kernel anywhere is as good as none.
bool IsKnown(absl::string_view op) {
  const BinderEntry* entry = FindBinder(op);
  if (entry == nullptr) return kernels::FindOpSignature(op) != nullptr;
  return entry->canonical == nullptr || kernels::FindOpSignature(entry->canonical) != nullptr;
}

// "Resize (node 'up1', 'up2' and 3 more)".
std::string DescribeMissing(const std::string& op, const std::vector<std::string>& nodes) {
  const size_t named = std::min(nodes.size(), kNodesNamedMax);
  std::string names = absl::StrJoin(nodes.begin(), nodes.begin() + static_cast<int64_t>(named),
                                    ", ", [](std::string* out, const std::string& name) {
                                      absl::StrAppend(out, "'", name, "'");
                                    });
  if (named < nodes.size()) absl::StrAppend(&names, " and ", nodes.size() - named, " more");
  return absl::StrCat(op, " (", named == 1 && nodes.size() == 1 ? "node " : "nodes ", names, ")");
}

// An operator without a line in the table is canonical as it stands.
absl::Status BindAsIs(BindContext* context) {
  const Node& node = context->node();
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue && !context->has_input(i)) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is not a tensor"));
    }
  }
  RM_ASSIGN_OR_RETURN(
      const std::vector<ValueId> outputs,
      context->AppendMany(node.op, context->inputs(), node.outputs.size(), node.attributes));
  for (size_t i = 0; i < outputs.size(); ++i) context->SetOutput(i, outputs[i]);
  return absl::OkStatus();
}

// "node 'fc1' (Gemm of [64, 784], [512, 783])".
std::string Describe(const BindContext& context) {
  std::vector<std::string> types;
  for (size_t i = 0; i < context.node().inputs.size(); ++i) {
    types.push_back(context.has_input(i) ? context.type(context.input(i)).ToString() : "-");
  }
  return absl::StrCat("node '", context.node().name, "' (", context.node().op,
                      types.empty() ? "" : " of ", absl::StrJoin(types, ", "), ")");
}

// Errors of binders name operands and attributes; node, operator and types are added here, once.
absl::Status BindNode(const Node& node, BindContext* context) {
  RM_CHECK(!node.backward, "node '", node.name, "' of the backward pass is bound");
  context->Begin(node);
  const BinderEntry* entry = FindBinder(node.op);
  const absl::Status status = entry == nullptr ? BindAsIs(context) : entry->bind(context);
  return status.ok() ? status : base::Annotate(status, Describe(*context));
}

// Binders and shape rules multiply dimensions freely; those of values that nodes make are checked one by
// one, and those that the file or the job states here, before anybody reads them.
absl::Status CheckLeaves(const Graph& leaves) {
  for (const Value& leaf : leaves.values()) {
    const absl::Status status = CheckedElements({leaf.shape.begin(), leaf.shape.end()}).status();
    if (!status.ok()) return base::Annotate(status, absl::StrCat("value '", leaf.name, "'"));
  }
  return absl::OkStatus();
}

// What a second graph needs: nodes on a way to an output, constants they read, and every other leaf.
std::vector<bool> LiveValues(const Graph& graph, const std::map<std::string, ValueId>& outputs) {
  std::vector<bool> live(graph.values().size(), false);
  for (const auto& [name, id] : outputs) live[static_cast<size_t>(id)] = true;
  for (size_t n = graph.nodes().size(); n-- > 0;) {
    const Node& node = graph.nodes()[n];
    bool needed = false;
    for (ValueId id : node.outputs) needed = needed || live[static_cast<size_t>(id)];
    if (!needed) continue;
    for (ValueId id : node.inputs) {
      if (id != kNoValue) live[static_cast<size_t>(id)] = true;
    }
    for (ValueId id : node.outputs) live[static_cast<size_t>(id)] = true;
  }
  for (size_t i = 0; i < live.size(); ++i) {
    const ValueKind kind = graph.values()[i].kind;
    if (kind != ValueKind::kNode && kind != ValueKind::kConstant) live[i] = true;
  }
  return live;
}

// Names, attributes and the order of nodes stay. Constants that were only steps on the way are gone,
// and their memory with them once the first graph is.
Graph Compacted(const Graph& graph, const std::map<std::string, ValueId>& outputs) {
  const std::vector<bool> live = LiveValues(graph, outputs);
  Graph compact;
  std::vector<ValueId> to(graph.values().size(), kNoValue);
  for (size_t i = 0; i < live.size(); ++i) {
    if (live[i] && graph.values()[i].kind != ValueKind::kNode) {
      to[i] = compact.AddLeaf(graph.values()[i]);
    }
  }
  for (const Node& node : graph.nodes()) {
    if (!live[static_cast<size_t>(node.outputs[0])]) continue;
    std::vector<ValueId> inputs;
    for (ValueId id : node.inputs) {
      inputs.push_back(id == kNoValue ? kNoValue : to[static_cast<size_t>(id)]);
    }
    const std::vector<ValueId> ids = compact.AddNodeWithOutputs(
        node.op, node.name, inputs, static_cast<int>(node.outputs.size()), node.attributes);
    for (size_t i = 0; i < ids.size(); ++i) to[static_cast<size_t>(node.outputs[i])] = ids[i];
  }
  for (const auto& [name, id] : outputs) compact.MarkOutput(name, to[static_cast<size_t>(id)]);
  return compact;
}

}  // namespace

absl::Status CheckOperators(const Graph& model) {
  std::map<std::string, std::vector<std::string>> missing;
  for (const Node& node : model.nodes()) {
    if (!IsKnown(node.op)) missing[node.op].push_back(node.name);
  }
  if (missing.empty()) return absl::OkStatus();
  const std::string list = absl::StrJoin(missing, ", ", [](std::string* out, const auto& entry) {
    absl::StrAppend(out, DescribeMissing(entry.first, entry.second));
  });
  return absl::InvalidArgumentError(absl::StrCat("operators that are not known: ", list));
}

absl::StatusOr<Graph> BindBatch(const Graph& model, int64_t batch, int64_t folded_bytes_max) {
  if (batch < 1) {
    return absl::InvalidArgumentError(absl::StrCat("a batch of ", batch, " samples; at least 1"));
  }
  RM_RETURN_IF_ERROR(CheckOperators(model));
  RM_CHECK(model.buffer_updates().empty(), "a graph prepared for training is bound");
  BindContext context(model, batch, folded_bytes_max);
  RM_RETURN_IF_ERROR(CheckLeaves(context.graph()));
  for (const Node& node : model.nodes()) RM_RETURN_IF_ERROR(BindNode(node, &context));
  std::map<std::string, ValueId> outputs;
  for (const auto& [name, id] : model.outputs()) {
    outputs[name] = context.bound(id);
    if (outputs[name] == kNoValue) {
      return absl::InvalidArgumentError(absl::StrCat("output '", name, "' is not a tensor"));
    }
  }
  return Compacted(context.graph(), outputs);
}

}  // namespace rm::graph
