#include "runtime/graph/storage.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "runtime/graph/ops/infer_node.h"
#include "runtime/graph/uses.h"
#include "runtime/graph/view.h"

namespace rm::graph {
namespace {

using Kind = StorageGroup::Kind;

// Walks the nodes in their order of execution. A group's lifetime grows as values join it; when a
// node is reached, everything that will ever read a member written so far is known, as lifetimes
// come from the readers in the graph and not from the walk.
class StorageAssigner {
 public:
  StorageAssigner(const TypedGraph& typed, const std::vector<const kernels::KernelEntry*>& entries,
                  bool reuse)
      : typed_(typed),
        nodes_(typed.graph.nodes()),
        entries_(entries),
        reuse_(reuse),
        end_(static_cast<int>(nodes_.size())),
        uses_(FindUses(typed.graph)) {
    const auto is_backward = [](const Node& node) { return node.backward; };
    backward_start_ =
        static_cast<int>(std::find_if(nodes_.begin(), nodes_.end(), is_backward) - nodes_.begin());
  }

  Storage Run() {
    storage_.group_of.assign(typed_.graph.values().size(), -1);
    storage_.is_view.assign(nodes_.size(), false);
    FindGradients();
    AddSources();
    for (int i = 0; i < end_; ++i) AssignNode(i);
    return std::move(storage_);
  }

 private:
  // The parameter of which a value is the gradient.
  void FindGradients() {
    const std::vector<ValueId> parameters = typed_.graph.parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto it = typed_.graph.gradients().find(parameters[i]);
      if (it == typed_.graph.gradients().end()) continue;
      const bool is_new = gradients_.emplace(it->second, static_cast<int>(i)).second;
      RM_CHECK(is_new, "value ", it->second, " is the gradient of two parameters");
    }
  }

  // Groups of values that no node writes.
  void AddSources() {
    int parameters = 0;
    int buffers = 0;
    for (size_t i = 0; i < typed_.graph.values().size(); ++i) {
      const ValueId id = static_cast<ValueId>(i);
      switch (typed_.graph.value(id).kind) {
        case ValueKind::kInput:
          AddGroup(id, Kind::kArena, -1, 0, end_);
          break;
        case ValueKind::kParameter:
          AddGroup(id, Kind::kParameter, parameters++, 0, end_);
          break;
        case ValueKind::kBuffer:
          AddGroup(id, Kind::kBuffer, buffers++, 0, end_);
          break;
        case ValueKind::kConstant:
          AddGroup(id, Kind::kConstant, id, 0, end_);
          break;
        case ValueKind::kNode:
          break;
      }
    }
  }

  // Output 0 may share the memory of an operand; every other output has a group of its own.
  void AssignNode(int index) {
    const Node& node = nodes_[static_cast<size_t>(index)];
    size_t first_output = 0;
    if (SharesAsView(index)) {
      storage_.is_view[static_cast<size_t>(index)] = true;
      Join(node.outputs[0], node.inputs[0]);
      first_output = 1;
    } else if (SharesInPlace(index)) {
      const int operand = entries_[static_cast<size_t>(index)]->in_place_input;
      Join(node.outputs[0], node.inputs[static_cast<size_t>(operand)]);
      first_output = 1;
    }
    for (size_t i = first_output; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue) AddComputed(node.outputs[i], index);
    }
  }

  // A group of its own for a node's result.
  void AddComputed(ValueId id, int index) {
    const auto gradient = gradients_.find(id);
    if (gradient != gradients_.end()) {
      AddGroup(id, Kind::kGradient, gradient->second, index, end_);
    } else {
      AddGroup(id, Kind::kArena, -1, index, LastUse(id, index));
    }
  }

  // Every group begins with one value; Join adds more.
  void AddGroup(ValueId id, Kind kind, int index, int first, int last) {
    StorageGroup group;
    group.kind = kind;
    group.index = index;
    group.bytes = static_cast<int64_t>(typed_.type(id).bytes());
    group.first = first;
    group.last = last;
    storage_.group_of[static_cast<size_t>(id)] = static_cast<int>(storage_.groups.size());
    storage_.groups.push_back(group);
  }

  // Puts `id` into the memory of `with`.
  void Join(ValueId id, ValueId with) {
    StorageGroup& group = GroupOf(with);
    storage_.group_of[static_cast<size_t>(id)] = storage_.group_of[static_cast<size_t>(with)];
    group.last = std::max(group.last, LastUse(id, group.last));
    const auto gradient = gradients_.find(id);
    if (gradient == gradients_.end()) return;
    group.kind = Kind::kGradient;
    group.index = gradient->second;
    group.last = end_;
  }

  // A gradient lies in the caller's memory, where nothing else may be; so a view that is one takes
  // its source along, if the source may go there. Else its kernel makes a copy.
  bool SharesAsView(int index) {
    const Node& node = nodes_[static_cast<size_t>(index)];
    const kernels::OpInstance instance = MakeInstance(node, typed_.types);
    if (instance.outputs.size() != 1 || !IsView(instance)) return false;
    StorageGroup& group = GroupOf(node.inputs[0]);
    if (gradients_.count(node.outputs[0]) > 0) return reuse_ && MayBecomeGradient(group, index);
    return reuse_ || group.kind != Kind::kArena || group.last == end_;
  }

  // Legal where the kernel says so, the operand's memory is the program's own, and this node is the
  // last to read any value in it.
  bool SharesInPlace(int index) {
    const Node& node = nodes_[static_cast<size_t>(index)];
    const kernels::KernelEntry* entry = entries_[static_cast<size_t>(index)];
    if (!reuse_ || entry == nullptr || entry->in_place_input < 0) return false;
    const size_t operand = static_cast<size_t>(entry->in_place_input);
    if (operand >= node.inputs.size() || node.inputs[operand] == kNoValue) return false;
    const ValueId input = node.inputs[operand];
    StorageGroup& group = GroupOf(input);
    // Another operand in the same memory could be read after it was overwritten.
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (i != operand && node.inputs[i] != kNoValue && &GroupOf(node.inputs[i]) == &group) {
        return false;
      }
    }
    if (typed_.type(node.outputs[0]).bytes() != typed_.type(input).bytes()) return false;
    if (group.kind != Kind::kArena || group.last != index) return false;
    return gradients_.count(node.outputs[0]) == 0 || MayBecomeGradient(group, index);
  }

  // The caller's memory may be written in the backward pass alone, and belongs to the caller again
  // as soon as the gradient is final.
  bool MayBecomeGradient(const StorageGroup& group, int index) const {
    return group.kind == Kind::kArena && group.first >= backward_start_ && group.last == index;
  }

  // The last step that reads the value, or `otherwise` when none does.
  int LastUse(ValueId id, int otherwise) const {
    if (uses_.is_kept(id)) return end_;
    const std::vector<int>& readers = uses_.readers_of(id);
    return readers.empty() ? otherwise : readers.back();
  }

  StorageGroup& GroupOf(ValueId id) {
    const int group = storage_.group_of[static_cast<size_t>(id)];
    RM_CHECK(group >= 0, "value '", typed_.graph.value(id).name, "' is read before it is written");
    return storage_.groups[static_cast<size_t>(group)];
  }

  const TypedGraph& typed_;
  const std::vector<Node>& nodes_;
  const std::vector<const kernels::KernelEntry*>& entries_;
  const bool reuse_;
  const int end_;
  const Uses uses_;
  int backward_start_ = 0;
  // Parameters by the value that is their gradient.
  std::map<ValueId, int> gradients_;
  Storage storage_;
};

}  // namespace

Storage AssignStorage(const TypedGraph& graph,
                      const std::vector<const kernels::KernelEntry*>& entries, bool reuse) {
  return StorageAssigner(graph, entries, reuse).Run();
}

}  // namespace rm::graph
