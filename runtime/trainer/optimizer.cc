#include "runtime/trainer/optimizer.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

// The table: one line an optimizer.
struct OptimizerEntry {
  const char* type;
  absl::StatusOr<std::unique_ptr<Optimizer>> (*make)(const pb::OptimizerSpec& spec);
};

constexpr std::array<OptimizerEntry, 3> kOptimizers = {{
    {"Adam", &MakeAdam},
    {"AdamW", &MakeAdamW},
    {"SGD", &MakeSgd},
}};

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const pb::OptimizerSpec& spec) {
  for (const OptimizerEntry& entry : kOptimizers) {
    if (spec.type() == entry.type) return entry.make(spec);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "train.optimizer.type: unknown optimizer '", spec.type(), "'; known: ",
      absl::StrJoin(kOptimizers, ", ", [](std::string* out, const OptimizerEntry& entry) {
        absl::StrAppend(out, entry.type);
      })));
}

}  // namespace rm::trainer
