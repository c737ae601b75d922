#include "runtime/trainer/lr_schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

constexpr double kPi = 3.14159265358979323846;

// The parameters of a schedule: those of `defaults`, with what the job says of them.
using Params = std::map<std::string, double>;
absl::StatusOr<Params> ReadParams(const pb::LrScheduleSpec& spec, const Params& defaults) {
  Params values = defaults;
  for (const auto& [name, value] : spec.params()) {
    const auto found = values.find(name);
    if (found == values.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("train.scheduler.params: ", spec.type().empty() ? "ConstantLR" : spec.type(),
                       " takes no '", name, "'"));
    }
    found->second = value;
  }
  return values;
}

absl::Status BadParam(const char* name, const char* must, double value) {
  return absl::InvalidArgumentError(
      absl::StrCat("train.scheduler.params.", name, ": must be ", must, ", not ", value));
}

bool IsWhole(double value, double least) { return value >= least && std::floor(value) == value; }

// The same rate at every step.
absl::StatusOr<LrSchedule> MakeConstant(const pb::LrScheduleSpec& spec, double lr, int64_t) {
  RM_RETURN_IF_ERROR(ReadParams(spec, {}).status());
  return LrSchedule([lr](int64_t) { return lr; });
}

// Stairs.
absl::StatusOr<LrSchedule> MakeStep(const pb::LrScheduleSpec& spec, double lr, int64_t) {
  RM_ASSIGN_OR_RETURN(Params params, ReadParams(spec, {{"step_size", 0}, {"gamma", 0.1}}));
  const double size = params["step_size"];
  const double gamma = params["gamma"];
  if (!IsWhole(size, 1)) return BadParam("step_size", "a whole number of steps, 1 or more", size);
  if (!(gamma > 0 && gamma <= 1)) return BadParam("gamma", "above 0 and at most 1", gamma);
  const auto steps = static_cast<int64_t>(size);
  return LrSchedule([lr, gamma, steps](int64_t step) {
    return lr * std::pow(gamma, static_cast<double>(step / steps));
  });
}

// The first step has a rate above 0, or it would be wasted; the step after the last one would have min_lr.
absl::StatusOr<LrSchedule> MakeWarmupCosine(const pb::LrScheduleSpec& spec, double lr,
                                            int64_t total_steps) {
  RM_ASSIGN_OR_RETURN(
      Params params, ReadParams(spec, {{"warmup_steps", 0},
                                       {"min_lr", 0},
                                       {"total_steps", static_cast<double>(total_steps)}}));
  const double warmup = params["warmup_steps"];
  const double least = params["min_lr"];
  const double total = params["total_steps"];
  if (!IsWhole(warmup, 0)) return BadParam("warmup_steps", "a whole number of steps", warmup);
  if (!IsWhole(total, 0)) return BadParam("total_steps", "a whole number of steps", total);
  if (!(least >= 0 && least <= lr)) return BadParam("min_lr", "between 0 and lr", least);
  return LrSchedule([lr, warmup, least, total](int64_t step) {
    const auto now = static_cast<double>(step);
    if (now < warmup) return lr * (now + 1) / warmup;
    const double span = total - warmup;
    const double progress = span > 0 ? std::min(1.0, (now - warmup) / span) : 1.0;
    return least + (lr - least) * 0.5 * (1 + std::cos(kPi * progress));
  });
}

// The table: one line a schedule.
struct ScheduleEntry {
  const char* type;
  absl::StatusOr<LrSchedule> (*make)(const pb::LrScheduleSpec& spec, double lr,
                                     int64_t total_steps);
};

constexpr std::array<ScheduleEntry, 3> kSchedules = {{
    {"ConstantLR", &MakeConstant},
    {"StepLR", &MakeStep},
    {"WarmupCosineLR", &MakeWarmupCosine},
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

absl::StatusOr<LrSchedule> MakeLrSchedule(const pb::TrainSpec& spec, int64_t total_steps) {
  RM_ASSIGN_OR_RETURN(const double lr, BaseLearningRate(spec.optimizer()));
  const std::string type = spec.scheduler().type().empty() ? "ConstantLR" : spec.scheduler().type();
  for (const ScheduleEntry& entry : kSchedules) {
    if (type == entry.type) return entry.make(spec.scheduler(), lr, total_steps);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "train.scheduler.type: unknown schedule '", type, "'; known: ",
      absl::StrJoin(kSchedules, ", ", [](std::string* out, const ScheduleEntry& entry) {
        absl::StrAppend(out, entry.type);
      })));
}

}  // namespace rm::trainer
