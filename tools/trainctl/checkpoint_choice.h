// Which of a job's checkpoints is meant: JOB, JOB@latest, JOB@best or JOB@STEP.
#ifndef RM_TOOLS_TRAINCTL_CHECKPOINT_CHOICE_H_
#define RM_TOOLS_TRAINCTL_CHECKPOINT_CHOICE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/api.pb.h"
#include "runtime/client/client.h"

namespace rm::trainctl {

struct CheckpointChoice {
  std::string job;    // an id, or the beginning of one
  bool best = false;  // by the metric that StepOfBest goes by
  int64_t step = 0;   // 0: the newest that counts
};

// The choice that a word makes. Pure. InvalidArgument: what follows the '@' is no step, @latest or @best.
[[nodiscard]] absl::StatusOr<CheckpointChoice> ParseCheckpointChoice(absl::string_view word);

// The step of the best of these checkpoints among those that count. Pure. Best is what the job says
// (checkpoint.keep.metric and .mode), else the highest validation/accuracy, else the lowest
// validation/loss; of equals the newer one. NotFound: no checkpoint counts. FailedPrecondition: none
// of them has such a metric.
[[nodiscard]] absl::StatusOr<int64_t> StepOfBest(
    const ::ringmaster::v1::ListCheckpointsReply& reply,
    const ::ringmaster::v1::CheckpointSpec& spec);

// The step of the choice, 0 for the newest that counts; asks the coordinator where best is meant.
// Errors are its, and those of StepOfBest.
[[nodiscard]] absl::StatusOr<int64_t> FindStep(client::Client& client,
                                               const CheckpointChoice& choice);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_CHECKPOINT_CHOICE_H_
