// The step loop's inner part: what happens here happens for every node of every step, so nothing is
// allocated, looked up by name or decided.
#include "runtime/graph/planned_program.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"
#include "runtime/graph/constant_memory.h"
#include "runtime/graph/memory_plan.h"

namespace rm::graph {
namespace {

using Ports = std::map<std::string, ProgramPort>;

// By name, or an error that lists the names there are.
absl::StatusOr<const ProgramPort*> FindPort(const Ports& ports, absl::string_view kind,
                                            absl::string_view name) {
  const auto it = ports.find(std::string(name));
  if (it != ports.end()) return &it->second;
  const std::string names = absl::StrJoin(
      ports, ", ", [](std::string* out, const auto& port) { absl::StrAppend(out, port.first); });
  return absl::NotFoundError(
      absl::StrCat("the model has no ", kind, " '", name, "'; there is ", names));
}

bool IsAligned(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % kArenaAlignment == 0;
}

// Memory is known by group: the arena's and the constants' from the first use on, the caller's once
// it is bound. Steps hold plain pointers, set from the groups when a binding has changed, so that a
// step of training looks nothing up.
class PlannedProgram final : public Program {
 public:
  explicit PlannedProgram(ProgramParts parts)
      : parts_(std::move(parts)),
        memory_(parts_.groups.size(), nullptr),
        gradients_(parts_.parameters.size(), nullptr),
        bound_(parts_.parameters.size(), false),
        buffer_bound_(parts_.buffers.size(), false) {
    OrderGradients();
  }

  // What each method promises is said in program.h.
  absl::Span<const ParameterInfo> parameters() const override { return parts_.parameters; }
  absl::Span<const int> gradient_order() const override { return gradient_order_; }

  void BindParameter(int index, const float* value, float* gradient) override {
    // Breaking these is a bug of the trainer: the sizes and the alignment come from a plan.
    RM_CHECK(index >= 0 && index < static_cast<int>(bound_.size()), "parameter ", index);
    RM_CHECK(value != nullptr && IsAligned(value) && IsAligned(gradient), "memory of parameter '",
             parts_.parameters[static_cast<size_t>(index)].name, "'");
    RM_CHECK(gradient != nullptr || !parts_.training, "training without memory for the gradient");
    for (size_t i = 0; i < memory_.size(); ++i) {
      const StorageGroup& group = parts_.groups[i];
      if (group.index != index) continue;
      // Kernels take the memory of all operands as void*; no node writes a parameter.
      if (group.kind == StorageGroup::Kind::kParameter) memory_[i] = const_cast<float*>(value);
      if (group.kind == StorageGroup::Kind::kGradient) memory_[i] = gradient;
    }
    gradients_[static_cast<size_t>(index)] = gradient;
    bound_[static_cast<size_t>(index)] = true;
    resolved_ = false;
  }

  absl::Span<const BufferInfo> buffers() const override { return parts_.buffers; }

  void BindBuffer(int index, const float* value) override {
    RM_CHECK(index >= 0 && index < static_cast<int>(buffer_bound_.size()), "buffer ", index);
    RM_CHECK(value != nullptr && IsAligned(value), "memory of buffer '",
             parts_.buffers[static_cast<size_t>(index)].name, "'");
    for (size_t i = 0; i < memory_.size(); ++i) {
      const StorageGroup& group = parts_.groups[i];
      if (group.index != index || group.kind != StorageGroup::Kind::kBuffer) continue;
      memory_[i] = const_cast<float*>(value);  // as in BindParameter
    }
    buffer_bound_[static_cast<size_t>(index)] = true;
    resolved_ = false;
  }

  absl::StatusOr<const float*> StatisticMemory(int index) const override {
    const int group = parts_.statistic_groups[static_cast<size_t>(index)];
    RM_CHECK(group != kNoGroup, "nothing moves buffer '",
             parts_.buffers[static_cast<size_t>(index)].name, "'");
    RM_RETURN_IF_ERROR(Allocate());
    return static_cast<const float*>(memory_[static_cast<size_t>(group)]);
  }

  absl::StatusOr<void*> InputMemory(absl::string_view name) override {
    RM_ASSIGN_OR_RETURN(const ProgramPort* port, FindPort(parts_.inputs, "input", name));
    RM_RETURN_IF_ERROR(Allocate());
    return memory_[static_cast<size_t>(port->group)];
  }
  absl::StatusOr<kernels::TensorType> InputType(absl::string_view name) const override {
    RM_ASSIGN_OR_RETURN(const ProgramPort* port, FindPort(parts_.inputs, "input", name));
    return port->type;
  }
  absl::StatusOr<const void*> OutputMemory(absl::string_view name) const override {
    RM_ASSIGN_OR_RETURN(const ProgramPort* port, FindPort(parts_.outputs, "output", name));
    RM_RETURN_IF_ERROR(Allocate());
    return memory_[static_cast<size_t>(port->group)];
  }
  absl::StatusOr<kernels::TensorType> OutputType(absl::string_view name) const override {
    RM_ASSIGN_OR_RETURN(const ProgramPort* port, FindPort(parts_.outputs, "output", name));
    return port->type;
  }

  absl::Status Forward() override {
    RM_RETURN_IF_ERROR(CheckBound());
    RM_RETURN_IF_ERROR(Allocate());
    if (!resolved_) Resolve();
    forward_done_ = false;
    for (size_t i = 0; i < parts_.forward_steps; ++i) RM_RETURN_IF_ERROR(Run(parts_.steps[i]));
    forward_done_ = true;
    return absl::OkStatus();
  }

  absl::Status Backward(absl::FunctionRef<void(int)> on_gradient_ready) override {
    if (!parts_.training) return absl::FailedPreconditionError("the program is not for training");
    if (!forward_done_) return absl::FailedPreconditionError("Backward without a Forward before");
    forward_done_ = false;  // the backward pass works over the activations' memory
    for (size_t i = 0; i < parts_.parameters.size(); ++i) {
      if (parts_.has_gradient[i]) continue;
      const size_t elements = static_cast<size_t>(parts_.parameters[i].elements);
      std::fill_n(gradients_[i], elements, 0.0F);
      on_gradient_ready(static_cast<int>(i));
    }
    for (size_t i = parts_.forward_steps; i < parts_.steps.size(); ++i) {
      RM_RETURN_IF_ERROR(Run(parts_.steps[i]));
      for (int parameter : parts_.steps[i].final_gradients) on_gradient_ready(parameter);
    }
    return absl::OkStatus();
  }

  Precision precision() const override { return parts_.precision; }
  int64_t arena_bytes() const override { return parts_.arena_bytes; }

  std::vector<NodeReport> Report() const override {
    std::vector<NodeReport> reports;
    for (const ProgramStep& step : parts_.steps) reports.push_back(step.report);
    return reports;
  }

  void MeasureNodes(bool on) override {
    if (on && !measuring_) {
      for (ProgramStep& step : parts_.steps) {
        step.report.runs = 0;
        step.report.time = absl::ZeroDuration();
      }
    }
    measuring_ = on;
  }

 private:
  // Gradients that are always zero are reported first, then those that steps finish.
  void OrderGradients() {
    if (!parts_.training) return;
    for (size_t i = 0; i < parts_.parameters.size(); ++i) {
      if (!parts_.has_gradient[i]) gradient_order_.push_back(static_cast<int>(i));
    }
    for (const ProgramStep& step : parts_.steps) {
      gradient_order_.insert(gradient_order_.end(), step.final_gradients.begin(),
                             step.final_gradients.end());
    }
  }

  // Gets the program's own memory when it is first asked for: until then a program costs next to
  // nothing, and may be compiled just to learn what it would need.
  absl::Status Allocate() const {
    if (arena_.data() != nullptr) return absl::OkStatus();
    for (const auto& [id, constant] : parts_.constants) {
      RM_ASSIGN_OR_RETURN(AlignedMemory memory, AlignedMemory::Allocate(ConstantBytes(constant)));
      WriteConstant(constant, memory.data());
      constants_[id] = std::move(memory);
    }
    RM_ASSIGN_OR_RETURN(arena_, AlignedMemory::Allocate(static_cast<size_t>(parts_.arena_bytes)));
    for (size_t i = 0; i < memory_.size(); ++i) {
      const StorageGroup& group = parts_.groups[i];
      if (group.kind == StorageGroup::Kind::kArena) {
        memory_[i] = arena_.data() + parts_.group_offsets[i];
      } else if (group.kind == StorageGroup::Kind::kConstant) {
        memory_[i] = constants_[group.index].data();
      }
    }
    return absl::OkStatus();
  }

  // The first parameter or buffer without memory, by name.
  absl::Status CheckBound() const {
    for (size_t i = 0; i < bound_.size(); ++i) {
      if (bound_[i]) continue;
      return absl::FailedPreconditionError(
          absl::StrCat("parameter '", parts_.parameters[i].name, "' is not bound to memory"));
    }
    for (size_t i = 0; i < buffer_bound_.size(); ++i) {
      if (buffer_bound_[i]) continue;
      return absl::FailedPreconditionError(
          absl::StrCat("buffer '", parts_.buffers[i].name, "' is not bound to memory"));
    }
    return absl::OkStatus();
  }

  // Sets the pointers of every step from the memory of its groups.
  void Resolve() {
    const auto memory = [this](int group) {
      return group == kNoGroup ? nullptr : memory_[static_cast<size_t>(group)];
    };
    for (ProgramStep& step : parts_.steps) {
      step.inputs.resize(step.input_groups.size());
      step.outputs.resize(step.output_groups.size());
      std::transform(step.input_groups.begin(), step.input_groups.end(), step.inputs.begin(),
                     memory);
      std::transform(step.output_groups.begin(), step.output_groups.end(), step.outputs.begin(),
                     memory);
    }
    resolved_ = true;
  }

  // A view has no kernel: its output is there already.
  absl::Status Run(ProgramStep& step) {
    if (step.kernel == nullptr) return absl::OkStatus();
    const kernels::Arguments arguments{step.inputs, step.outputs,
                                       arena_.data() + step.scratch_offset};
    if (!measuring_) return Checked(step, step.kernel->Run(arguments));
    const absl::Duration start = base::RealClock().Monotonic();
    const absl::Status status = step.kernel->Run(arguments);
    step.report.time += base::RealClock().Monotonic() - start;
    ++step.report.runs;
    return Checked(step, status);
  }

  // Kernels do not know which node they are.
  static absl::Status Checked(const ProgramStep& step, const absl::Status& status) {
    if (status.ok()) return status;
    return base::Annotate(status, absl::StrCat("node '", step.report.node, "'"));
  }

  ProgramParts parts_;
  // Filled by Allocate(), which const functions call as well.
  mutable AlignedMemory arena_;
  mutable std::map<int, AlignedMemory> constants_;
  mutable std::vector<void*> memory_;  // by group
  std::vector<float*> gradients_;      // by parameter
  std::vector<bool> bound_;            // by parameter
  std::vector<bool> buffer_bound_;     // by buffer
  std::vector<int> gradient_order_;
  bool resolved_ = false;
  bool forward_done_ = false;
  bool measuring_ = false;
};

}  // namespace

std::unique_ptr<Program> MakeProgram(ProgramParts parts) {
  return std::make_unique<PlannedProgram>(std::move(parts));
}

}  // namespace rm::graph
