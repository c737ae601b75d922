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

Refused Refuse(const ClusterState& state, const pb::SubmitJob& event);
Refused Refuse(const ClusterState& state, const pb::CancelJob& event);
Refused Refuse(const ClusterState& state, const pb::PauseJob& event);
Refused Refuse(const ClusterState& state, const pb::ResumeJob& event);
Refused Refuse(const ClusterState& state, const pb::PreflightVerdict& event);
Refused Refuse(const ClusterState& state, const pb::WorkerAttached& event);
Refused Refuse(const ClusterState& state, const pb::WorkerLost& event);
Refused Refuse(const ClusterState& state, const pb::RankListening& event);
Refused Refuse(const ClusterState& state, const pb::RankJoined& event);
Refused Refuse(const ClusterState& state, const pb::RankExited& event);
Refused Refuse(const ClusterState& state, const pb::StartRefused& event);
Refused Refuse(const ClusterState& state, const pb::CheckpointCommitted& event);
Refused Refuse(const ClusterState& state, const pb::TrainingDone& event);
Refused Refuse(const ClusterState& state, const pb::CoordinatorStarted& event);
Refused Refuse(const ClusterState& state, const pb::Tick& event);

// Why a worker that attaches must stop rank `running`: the journal knows another generation,
// another worker, or nothing of it. nullopt: it is adopted.
Refused RefuseRunning(const ClusterState& state, const Worker& worker, const pb::RankRef& running);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_CORE_REFUSALS_H_
