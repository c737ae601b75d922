// Whether a recorded transition follows from the state before it. The core's own transitions always
// do (it CHECKs them); those of a journal may not, when the journal is damaged.
//
// Pure functions: safe from any thread that may read the state.
#ifndef RM_SCHEDULER_STATE_TRANSITION_CHECK_H_
#define RM_SCHEDULER_STATE_TRANSITION_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "proto/scheduler.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

// InvalidArgument, with the job and what is wrong: the arrow, the generation, the stop target or
// the placement; of a notice, that it would change something. A new job may have the id of one that
// has ended: whoever wrote the journal had forgotten that one (retention.h).
absl::Status CheckTransition(const ClusterState& state, const pb::JobTransition& transition);

// InvalidArgument, with the worker and what is wrong: its state, or a change of slots while they
// are held. A lost worker and one that is not known are the same here, for the same reason.
absl::Status CheckTransition(const ClusterState& state, const pb::WorkerTransition& transition);

// InvalidArgument: the event tells of a job or a rank that is not there, so that its facts have no
// place.
absl::Status CheckFacts(const ClusterState& state, const pb::Event& event);

// Whether `slot` of `worker` is held by that rank of that job. False for a slot that does not
// exist.
bool HoldsSlot(const Worker& worker, int32_t slot, const Job& job, int32_t rank);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_TRANSITION_CHECK_H_
