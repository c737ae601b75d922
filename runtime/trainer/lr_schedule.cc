#include "runtime/trainer/lr_schedule.h"

#include <array>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

// The same rate at every step.
absl::StatusOr<LrSchedule> MakeConstant(const pb::LrScheduleSpec& spec, double lr) {
  if (!spec.params().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("train.scheduler.params: ConstantLR takes no '",
                                                   spec.params().begin()->first, "'"));
  }
  return LrSchedule([lr](int64_t) { return lr; });
}

// The table: one line a schedule.
struct ScheduleEntry {
  const char* type;
  absl::StatusOr<LrSchedule> (*make)(const pb::LrScheduleSpec& spec, double lr);
};

constexpr std::array<ScheduleEntry, 1> kSchedules = {{
    {"ConstantLR", &MakeConstant},
}};

// The rate of the optimizer's block, which every schedule scales.
absl::StatusOr<double> BaseLearningRate(const pb::OptimizerSpec& optimizer) {
  const auto found = optimizer.params().find("lr");
  if (found == optimizer.params().end()) {
    return absl::InvalidArgumentError("train.optimizer.params.lr: the learning rate is missing");
  }
  if (!(found->second > 0) || !std::isfinite(found->second)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "train.optimizer.params.lr: must be a positive number, not ", found->second));
  }
  return found->second;
}

}  // namespace

absl::StatusOr<LrSchedule> MakeLrSchedule(const pb::TrainSpec& spec) {
  RM_ASSIGN_OR_RETURN(const double lr, BaseLearningRate(spec.optimizer()));
  const std::string type = spec.scheduler().type().empty() ? "ConstantLR" : spec.scheduler().type();
  for (const ScheduleEntry& entry : kSchedules) {
    if (type == entry.type) return entry.make(spec.scheduler(), lr);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "train.scheduler.type: unknown schedule '", type, "'; known: ",
      absl::StrJoin(kSchedules, ", ", [](std::string* out, const ScheduleEntry& entry) {
        absl::StrAppend(out, entry.type);
      })));
}

}  // namespace rm::trainer
