// A record applied again: the state after it, without deciding anything.
#ifndef RM_SCHEDULER_CORE_FOLD_H_
#define RM_SCHEDULER_CORE_FOLD_H_

#include "absl/status/status.h"
#include "proto/scheduler.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

// Applies the parts of `record` in the order in which the step made them: each event with its facts
// (unless it was refused), then the transitions it caused, workers' before jobs'; at last those of
// timers and placements. Actions are not repeated. DataLoss: the record does not follow from
// `state`, which is then of no use.
absl::Status FoldRecord(ClusterState& state, const pb::JournalRecord& record);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_FOLD_H_
