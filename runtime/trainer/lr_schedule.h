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

// The schedule of train.scheduler (ConstantLR when empty) over train.optimizer.params.lr, for a job of `total_steps` steps:
//   ConstantLR      lr
//   StepLR          lr · gamma^⌊step / step_size⌋                      step_size; gamma (0.1)
//   WarmupCosineLR  lr · (step + 1) / warmup_steps at first, then half a cosine from lr down to min_lr, which it reaches at
//                   total_steps                                        warmup_steps (0), min_lr (0), total_steps (the job's)
// InvalidArgument for an unknown type, an unknown, missing or impossible parameter, or a missing, zero or negative lr.
[[nodiscard]] absl::StatusOr<LrSchedule> MakeLrSchedule(const ringmaster::v1::TrainSpec& spec,
                                                        int64_t total_steps);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_LR_SCHEDULE_H_
