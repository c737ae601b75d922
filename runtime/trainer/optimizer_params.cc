#include "runtime/trainer/optimizer_params.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rm::trainer {

absl::StatusOr<std::map<std::string, double>> ReadOptimizerParams(
    const ringmaster::v1::OptimizerSpec& spec, const std::map<std::string, double>& defaults) {
  std::map<std::string, double> values = defaults;
  for (const auto& [name, value] : spec.params()) {
    if (name == "lr") continue;
    const auto found = values.find(name);
    if (found == values.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "train.optimizer.params: ", spec.type(), " takes no '", name, "'; known: lr, ",
          absl::StrJoin(defaults, ", ", [](std::string* out, const auto& known) {
            absl::StrAppend(out, known.first);
          })));
    }
    found->second = value;
  }
  return values;
}

}  // namespace rm::trainer
