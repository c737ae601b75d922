// The numbers behind train.optimizer.params, read with their defaults.
#ifndef RM_RUNTIME_TRAINER_OPTIMIZER_PARAMS_H_
#define RM_RUNTIME_TRAINER_OPTIMIZER_PARAMS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "proto/job.pb.h"

namespace rm::trainer {

// The value of each name of `defaults`, as given in the spec or else from there. "lr" is the schedule's and passed over.
// InvalidArgument names a parameter that the optimizer does not take, with those that it does.
[[nodiscard]] absl::StatusOr<std::map<std::string, double>> ReadOptimizerParams(
    const ringmaster::v1::OptimizerSpec& spec, const std::map<std::string, double>& defaults);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_OPTIMIZER_PARAMS_H_
