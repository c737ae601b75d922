// Program::Compile: the passes in their order, and the parts of a program from what they settle.
//
// Order matters in places. Fusion runs before dead nodes are removed, as it leaves some; gradients
// are isolated before that, as a copy keeps its source alive; the backward pass is ordered before casts
// are inserted and layouts are chosen, so that these stand where their first reader does; storage needs the
// kernels, which say where they can work in place; and scratch memory is known only when kernels
// are made.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/graph/flops.h"
#include "runtime/graph/fusion.h"
#include "runtime/graph/gradient_order.h"
#include "runtime/graph/kernel_choice.h"
#include "runtime/graph/memory_plan.h"
#include "runtime/graph/ops/infer_node.h"
#include "runtime/graph/planned_program.h"
#include "runtime/graph/precision.h"
#include "runtime/graph/program.h"
#include "runtime/graph/prune.h"
#include "runtime/graph/storage.h"
#include "runtime/graph/types.h"

namespace rm::graph {
namespace {

using kernels::KernelEntry;

// A graph with everything settled but memory.
struct Settled {
  TypedGraph typed;
  std::vector<const KernelEntry*> entries;  // by node
  Storage storage;
};

// Everything that can fail because of the graph fails here.
absl::StatusOr<Settled> Settle(const Graph& graph, const CompileOptions& options) {
  Settled settled;
  TypedGraph& typed = settled.typed;
  typed.graph = graph.WithoutInitialValues();
  if (!options.training) DropBackward(&typed.graph);
  RM_ASSIGN_OR_RETURN(typed.types, InferTypes(typed.graph, options.batch));
  if (options.fuse) Fuse(&typed);
  IsolateGradients(&typed);
  EliminateDeadNodes(&typed.graph);
  OrderBackward(&typed.graph);
  if (options.precision == Precision::kBfloat16) UseBfloat16(&typed);
  RM_ASSIGN_OR_RETURN(settled.entries, ChooseKernels(options.kernels, options.kernel_options,
                                                     options.blocked_layouts, &typed));
  settled.storage = AssignStorage(typed, settled.entries, options.reuse_memory);
  return settled;
}

// Operands as the executor sees them: by the memory that they lie in.
std::vector<int> GroupsOf(const std::vector<ValueId>& values, const Storage& storage) {
  std::vector<int> groups;
  for (ValueId id : values) {
    groups.push_back(id == kNoValue ? kNoGroup : storage.group_of[static_cast<size_t>(id)]);
  }
  return groups;
}

// Making a kernel may take milliseconds: oneDNN generates code.
absl::StatusOr<ProgramStep> MakeStep(const Settled& settled, size_t index,
                                     const kernels::KernelOptions& options) {
  const Node& node = settled.typed.graph.nodes()[index];
  const KernelEntry* entry = settled.entries[index];
  const kernels::OpInstance instance = MakeInstance(node, settled.typed.types);
  ProgramStep step;
  step.report.node = node.name;
  step.report.instance = instance.ToString();
  step.report.backward = node.backward;
  step.report.flops = Flops(instance);
  step.input_groups = GroupsOf(node.inputs, settled.storage);
  step.output_groups = GroupsOf(node.outputs, settled.storage);
  if (settled.storage.is_view[index]) {
    step.report.kernel = "view";
    return step;
  }
  if (entry == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("no kernel for node '", node.name, "': ", instance.ToString()));
  }
  step.report.kernel = entry->name;
  step.report.bytes = MovedBytes(instance);
  absl::StatusOr<std::unique_ptr<kernels::Kernel>> kernel = entry->make(instance, options);
  if (!kernel.ok()) {
    return base::Annotate(kernel.status(),
                          absl::StrCat("node '", node.name, "': ", instance.ToString()));
  }
  step.kernel = *std::move(kernel);
  return step;
}

// Nodes of the backward pass come last, so the number of forward steps tells the two apart.
absl::Status MakeSteps(const Settled& settled, const CompileOptions& options, ProgramParts* parts) {
  const std::vector<Node>& nodes = settled.typed.graph.nodes();
  for (size_t i = 0; i < nodes.size(); ++i) {
    RM_ASSIGN_OR_RETURN(ProgramStep step, MakeStep(settled, i, options.kernel_options));
    parts->steps.push_back(std::move(step));
    if (!nodes[i].backward) parts->forward_steps = i + 1;
  }
  return absl::OkStatus();
}

// Places the arena's groups and each step's scratch memory.
void PlaceMemory(bool reuse, ProgramParts* parts) {
  std::vector<Buffer> buffers;
  for (const StorageGroup& group : parts->groups) {
    const bool arena = group.kind == StorageGroup::Kind::kArena;
    buffers.push_back({arena ? group.bytes : 0, group.first, group.last});
  }
  for (size_t i = 0; i < parts->steps.size(); ++i) {
    const kernels::Kernel* kernel = parts->steps[i].kernel.get();
    const size_t scratch = kernel == nullptr ? 0 : kernel->scratch_bytes();
    buffers.push_back({static_cast<int64_t>(scratch), static_cast<int>(i), static_cast<int>(i)});
  }
  MemoryPlan plan = reuse ? PlanMemory(buffers) : PlanMemoryApart(buffers);
  for (size_t i = 0; i < parts->steps.size(); ++i) {
    parts->steps[i].scratch_offset = plan.offsets[parts->groups.size() + i];
  }
  plan.offsets.resize(parts->groups.size());
  parts->group_offsets = std::move(plan.offsets);
  parts->arena_bytes = plan.bytes;
}

// Type and place of an input or output.
ProgramPort PortOf(const Settled& settled, ValueId id) {
  return {settled.typed.type(id), settled.storage.group_of[static_cast<size_t>(id)]};
}

void AddPorts(const Settled& settled, ProgramParts* parts) {
  const Graph& graph = settled.typed.graph;
  for (ValueId id : graph.inputs()) {
    parts->inputs.emplace(graph.value(id).name, PortOf(settled, id));
  }
  for (const auto& [name, id] : graph.outputs()) parts->outputs.emplace(name, PortOf(settled, id));
}

// The step that writes each gradient finishes it: nodes write a value once.
void AddParameters(const Settled& settled, ProgramParts* parts) {
  const Graph& graph = settled.typed.graph;
  const std::vector<ValueId> parameters = graph.parameters();
  std::map<ValueId, int> gradient_of;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const kernels::TensorType& type = settled.typed.type(parameters[i]);
    parts->parameters.push_back({graph.value(parameters[i]).name, type.shape, type.elements()});
    const auto gradient = graph.gradients().find(parameters[i]);
    parts->has_gradient.push_back(gradient != graph.gradients().end());
    if (parts->has_gradient.back()) gradient_of[gradient->second] = static_cast<int>(i);
  }
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    for (ValueId output : graph.nodes()[i].outputs) {
      const auto it = gradient_of.find(output);
      if (it != gradient_of.end()) parts->steps[i].final_gradients.push_back(it->second);
    }
  }
}

// Buffers and what they follow. A statistic of another size than its buffer is a mistake of the model.
absl::Status AddBuffers(const Settled& settled, ProgramParts* parts) {
  const Graph& graph = settled.typed.graph;
  for (ValueId id : graph.buffers()) {
    const kernels::TensorType& type = settled.typed.type(id);
    BufferInfo info{graph.value(id).name, type.shape, type.elements(), false, 0};
    int group = kNoGroup;
    const auto update = graph.buffer_updates().find(id);
    if (update != graph.buffer_updates().end()) {
      const kernels::TensorType& statistic = settled.typed.type(update->second.statistic);
      if (statistic.shape != type.shape || statistic.layout != kernels::Layout::kPlain) {
        return absl::InvalidArgumentError(absl::StrCat("buffer '", info.name, "' is ",
                                                       type.ToString(), ", what moves it is ",
                                                       statistic.ToString()));
      }
      info.updated = true;
      info.momentum = update->second.momentum;
      group = settled.storage.group_of[static_cast<size_t>(update->second.statistic)];
    }
    parts->buffers.push_back(std::move(info));
    parts->statistic_groups.push_back(group);
  }
  return absl::OkStatus();
}

// Contents of the constants, which the program copies into memory of its own.
void AddConstants(const Graph& graph, ProgramParts* parts) {
  for (const StorageGroup& group : parts->groups) {
    if (group.kind != StorageGroup::Kind::kConstant) continue;
    parts->constants[group.index] = graph.value(group.index);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Program>> Program::Compile(const Graph& graph,
                                                          const CompileOptions& options) {
  RM_ASSIGN_OR_RETURN(const Settled settled, Settle(graph, options));
  ProgramParts parts;
  parts.training = options.training && !graph.gradients().empty();
  parts.precision = options.precision;
  parts.groups = settled.storage.groups;
  RM_RETURN_IF_ERROR(MakeSteps(settled, options, &parts));
  PlaceMemory(options.reuse_memory, &parts);
  AddPorts(settled, &parts);
  AddParameters(settled, &parts);
  RM_RETURN_IF_ERROR(AddBuffers(settled, &parts));
  AddConstants(settled.typed.graph, &parts);
  return MakeProgram(std::move(parts));
}

}  // namespace rm::graph
