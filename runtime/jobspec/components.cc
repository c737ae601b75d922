// Ranges as in PyTorch's constructors, which check the same: lr and weight_decay are not negative,
// momentum below 1. A learning rate of 0 is refused as well: such a job would train nothing.
#include "runtime/jobspec/components.h"

namespace rm::jobspec {
namespace {

// What a flag may be in the spec, where it is a number.
constexpr Range kFlag = {0, 1};

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
      {"train.scheduler", "ConstantLR", {}},
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
