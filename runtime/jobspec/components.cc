// Ranges as in PyTorch's constructors, which check the same: lr and weight_decay are not negative,
// momentum below 1. A learning rate of 0 is refused as well: such a job would train nothing.
#include "runtime/jobspec/components.h"

namespace rm::jobspec {
namespace {

// What a flag may be in the spec, where it is a number.
constexpr Range kFlag = {0, 1};
constexpr double kStepsMax = 1e10;

// Adam and AdamW take the same, but for what weight decay means.
std::vector<Param> AdamParams(absl::string_view decay, absl::string_view decay_fallback) {
  constexpr Range kShare = {0, 1, false, true};
  return {{"lr", "Learning rate", {0, 1e6, true}, /*required=*/true},
          {"beta1", "Share of the past in the mean of the gradient", kShare, false, false, "0.9"},
          {"beta2", "Share of the past in the mean of its square", kShare, false, false, "0.999"},
          {"eps", "What keeps the division away from 0", {0, 1}, false, false, "1e-8"},
          {"weight_decay", decay, {0, 1e6}, false, false, decay_fallback}};
}

}  // namespace

// An optimizer or schedule of ours is an entry here, a choice in key_table.cc, and its code in the
// trainer.
absl::Span<const Component> Components() {
  static const auto& components = *new std::vector<Component>{
      {"train.optimizer",
       "SGD",
       {{"lr", "Learning rate", {0, 1e6, true}, /*required=*/true},
        {"momentum", "Share of the last update in this one", {0, 1, false, true}},
        {"weight_decay", "Pull of the weights towards 0", {0, 1e6}},
        {"nesterov", "Momentum that looks ahead", kFlag, false, /*is_flag=*/true}}},
      {"train.optimizer", "Adam", AdamParams("Pull of the weights towards 0, in the gradient", "0")},
      {"train.optimizer", "AdamW",
       AdamParams("Pull of the weights towards 0, times the rate", "0.01")},
      {"train.scheduler", "ConstantLR", {}},
      {"train.scheduler",
       "StepLR",
       {{"step_size", "Steps between two cuts", {1, kStepsMax}, /*required=*/true},
        {"gamma", "What the rate is multiplied by at a cut", {0, 1, true}, false, false, "0.1"}}},
      {"train.scheduler",
       "WarmupCosineLR",
       {{"warmup_steps", "Steps in which the rate climbs to lr", {0, kStepsMax}},
        {"min_lr", "Rate at the end", {0, 1e6}},
        {"total_steps", "Steps until the end", {0, kStepsMax}, false, false, "the job's"}}},
  };
  return components;
}

const Component* FindComponent(absl::string_view section, absl::string_view type) {
  for (const Component& component : Components()) {
    if (component.section == section && component.type == type) return &component;
  }
  return nullptr;
}

const Param* FindParam(absl::string_view path, absl::string_view type) {
  const Component* component = FindComponent(SectionOf(SectionOf(path)), type);
  if (component == nullptr) return nullptr;
  for (const Param& param : component->params) {
    if (param.name == NameOf(path)) return &param;
  }
  return nullptr;
}

}  // namespace rm::jobspec
