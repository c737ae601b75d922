// How one job changes: it enters a state by a transition, or an event tells a fact about it.
//
// Facts are what the world did (a rank listens, a checkpoint is committed); they never change the
// state of the job's life. Decisions are transitions. Both stand in the journal, so both are
// applied here alone, by ClusterState. Not thread-safe for the same job.
#ifndef RM_SCHEDULER_STATE_JOB_UPDATE_H_
#define RM_SCHEDULER_STATE_JOB_UPDATE_H_

#include "absl/time/time.h"
#include "proto/scheduler.pb.h"
#include "scheduler/state/job.h"

namespace rm::scheduler {

// Takes the state, reason, generation, restarts and phase of `transition`, and with a placement a
// new gang whose ranks are assigned. REQUIRES: the transition is legal for `job`.
void Enter(Job& job, const pb::JobTransition& transition);

// The rank is proven gone; no effect when it is so already. REQUIRES: rank is of the gang.
void MarkGone(Job& job, int32_t rank);

// Facts at the time `now`. REQUIRES: the event is of the job's present generation, and its rank of
// the gang.
// The preflight is settled, with these errors.
void Note(Job& job, const pb::PreflightVerdict& verdict);
// The rank is up; its address is known.
void Note(Job& job, const pb::RankListening& event);
// The rank is in the collective; the generation enters the lineage, and the plan that it follows is
// the job's.
void Note(Job& job, const pb::RankJoined& event);
// The rank is proven gone, in this way. Remembers a failure of its own, and a clean exit that came
// too early.
void Note(Job& job, const pb::RankExited& event, absl::Time now);
// A checkpoint is durable.
void Note(Job& job, const pb::CheckpointCommitted& event);
// The rank lives and makes no progress. In a gang that runs that is a failure of its own, like
// those that RankExited tells of, but not when the whole gang stands still (GangStandsStill).
void Note(Job& job, const pb::RankHung& event);
// The gang has trained to its end, and the final checkpoint is durable.
void Note(Job& job, const pb::TrainingDone& event, absl::Time now);

// The coordinator was away until `now` and heard nothing: what was awaited from the ranks of the
// job is awaited anew.
void AwaitAnew(Job& job, absl::Time now);

// The rank left because one of its peers was gone: a consequence, never a cause.
bool IsConsequence(const pb::RankExited& event);

// The rank left by its own end: exit code 0.
bool IsCleanExit(const pb::RankExited& event);

// The rank failed by itself: it said so, exited with a code that is not 0, crashed, or was killed for
// want of memory. Not: a consequence, or another signal that comes from outside (SIGHUP, SIGINT,
// SIGKILL, SIGTERM).
bool IsOwnFailure(const pb::RankExited& event);

}  // namespace rm::scheduler

#endif  // RM_SCHEDULER_STATE_JOB_UPDATE_H_
