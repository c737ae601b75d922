// Which events are illegal in the state they meet, and why: one function an event.
//
// Pure functions: nullopt means that the event may be taken. Every code is one of RefusalCodes().
#ifndef RM_SCHEDULER_CORE_REFUSALS_H_
#define RM_SCHEDULER_CORE_REFUSALS_H_

#include "absl/types/optional.h"
#include "proto/scheduler.pb.h"
#include "scheduler/state/cluster_state.h"

namespace rm::scheduler {

using Refused = absl::optional<pb::Reason>;

// An id of its own, and resources that can be.
Refused Refuse(const ClusterState& state, const pb::SubmitJob& event);
// Not when it stops for good already, unless a kill shortens its grace.
Refused Refuse(const ClusterState& state, const pb::CancelJob& event);
// Not when it stops for good, or is trained to its end.
Refused Refuse(const ClusterState& state, const pb::PauseJob& event);
// Only a job that is paused, or on its way there.
Refused Refuse(const ClusterState& state, const pb::ResumeJob& event);
// Only while the verdict is awaited.
Refused Refuse(const ClusterState& state, const pb::PreflightVerdict& event);

// At any time, with an id and a sensible number of slots.
Refused Refuse(const ClusterState& state, const pb::WorkerAttached& event);
// Once.
Refused Refuse(const ClusterState& state, const pb::WorkerLost& event);
// Of a READY worker; of a suspect.
Refused Refuse(const ClusterState& state, const pb::WorkerSilent& event);
Refused Refuse(const ClusterState& state, const pb::WorkerHeard& event);

// Of a living rank of the present generation, each once and in this order: listening or refused,
// joined, exited.
Refused Refuse(const ClusterState& state, const pb::RankListening& event);
Refused Refuse(const ClusterState& state, const pb::RankJoined& event);
Refused Refuse(const ClusterState& state, const pb::RankExited& event);
Refused Refuse(const ClusterState& state, const pb::StartRefused& event);
// Of a rank of the present generation, alive or not.
Refused Refuse(const ClusterState& state, const pb::CheckpointCommitted& event);
Refused Refuse(const ClusterState& state, const pb::TrainingDone& event);
Refused Refuse(const ClusterState& state, const pb::RankNotice& event);
// Of a living rank of a gang that is together, or awaits the cause of a loss: whatever leaves is
// killed when its time is over, whether it hangs or not.
Refused Refuse(const ClusterState& state, const pb::RankHung& event);
// Never refused.
Refused Refuse(const ClusterState& state, const pb::CoordinatorStarted& event);
Refused Refuse(const ClusterState& state, const pb::Tick& event);

// Why a worker that attaches must stop rank `running`: the journal knows another generation,
// another worker, or nothing of it. nullopt: it is adopted.
Refused RefuseRunning(const ClusterState& state, const Worker& worker, const pb::RankRef& running);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_REFUSALS_H_
