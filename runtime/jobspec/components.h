// What optimizers and learning-rate schedules take: the parameters behind train.optimizer.params
// and train.scheduler.params.
//
// The zoo's models are not here: they know their own parameters, and preflight asks them.
#ifndef RM_RUNTIME_JOBSPEC_COMPONENTS_H_
#define RM_RUNTIME_JOBSPEC_COMPONENTS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/jobspec/key_table.h"

namespace rm::jobspec {

struct Param {
  absl::string_view name;
  absl::string_view doc;
  Range range;
  bool required = false;
  // Written as true or false; 1 or 0 in the spec.
  bool is_flag = false;
  // What holds when it is not given, for the reference page.
  absl::string_view fallback = "0";
};

struct Component {
  // Where it is chosen, "train.optimizer".
  absl::string_view section;
  // The name it is chosen by, "SGD".
  absl::string_view type;
  std::vector<Param> params;
};

[[nodiscard]] absl::Span<const Component> Components();

// The component of that section and type, or nullptr.
[[nodiscard]] const Component* FindComponent(absl::string_view section, absl::string_view type);
// The parameter at "train.optimizer.params.lr" when that section's type is `type`, or nullptr.
[[nodiscard]] const Param* FindParam(absl::string_view path, absl::string_view type);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_COMPONENTS_H_
