// Learning rates by step: pure functions, one line each in the table of lr_schedule.cc.
#ifndef RM_RUNTIME_TRAINER_LR_SCHEDULE_H_
#define RM_RUNTIME_TRAINER_LR_SCHEDULE_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"

namespace rm::trainer {

// The learning rate of step `step` (from 0). Pure: depends on nothing but the step.
using LrSchedule = std::function<double(int64_t step)>;

// The schedule of train.scheduler (ConstantLR when empty) over train.optimizer.params.lr. InvalidArgument for an unknown type,
// an unknown parameter, or a missing, zero or negative lr.
[[nodiscard]] absl::StatusOr<LrSchedule> MakeLrSchedule(const ringmaster::v1::TrainSpec& spec);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_LR_SCHEDULE_H_
