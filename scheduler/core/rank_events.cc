#include "scheduler/core/rank_events.h"

#include "scheduler/core/lifecycle.h"
#include "scheduler/core/loss.h"
#include "scheduler/core/reasons.h"
#include "scheduler/state/job_update.h"

namespace rm::scheduler {
namespace {

const Job& JobOf(const StepContext& step, const pb::RankRef& rank) {
  return *step.state().FindJob(rank.job_id());
}

// The ranks that are alive may leave by themselves; those of a broken gang are being killed anyway.
void StopDoneGang(StepContext& step, const Job& job) {
  StopOrder order;
  order.target = pb::SUCCEEDED;
  order.cause = DoneReason(job);
  if (job.gang_phase == pb::CAUSE_UNKNOWN) {
    order.grace = absl::Seconds(job.scheduling().grace_period());
  }
  BecomeStopping(step, job, order);
}

}  // namespace

// All listen: the addresses are complete, and the generation can begin. Ranks of a gang that is
// being stopped may still report; nothing follows from it.
void Take(StepContext& step, const pb::RankListening& event) {
  step.Accept();
  const Job& job = JobOf(step, event.rank());
  const bool all_listen = job.heard_ranks == job.world_size();
  if (all_listen && job.gang_phase == pb::COMING_UP) TellStartGeneration(step, job);
}

void Take(StepContext& step, const pb::RankJoined& event) {
  step.Accept();
  const Job& job = JobOf(step, event.rank());
  const bool all_joined = job.joined_ranks == job.world_size();
  if (all_joined && job.gang_phase == pb::COMING_UP) BecomeRunning(step, job);
}

// Four kinds of ends: a peer was gone; a fault; a clean exit before the rank was in the collective,
// which no plan has; and a clean exit as at the end of the training.
void Take(StepContext& step, const pb::RankExited& event) {
  step.Accept();
  const Job& job = JobOf(step, event.rank());
  const int32_t rank = event.rank().rank();
  if (IsConsequence(event)) {
    LoseByPeer(step, job, PeerLostReason(step.state(), job, event));
  } else if (!IsCleanExit(event)) {
    LoseRank(step, job, RankLostReason(step.state(), job, event));
  } else if (!job.gang[static_cast<size_t>(rank)].joined) {
    LoseRank(step, job, LeftEarlyReason(step.state(), job, rank));
  } else {
    LeaveRank(step, job);
  }
}

void Take(StepContext& step, const pb::StartRefused& event) {
  const Job& job = JobOf(step, event.rank());
  const pb::Reason cause = StartRefusedReason(step.state(), job, event);
  step.Accept();
  LoseRank(step, job, cause);
}

// The order of the actions matters: the worker must know that it is to look at this rank before it
// is told to kill all ranks of the gang.
void Take(StepContext& step, const pb::RankHung& event) {
  step.Accept();
  const Job& job = JobOf(step, event.rank());
  const pb::Reason cause = HungReason(step.state(), job, event);
  const GangRank& rank = job.gang[static_cast<size_t>(event.rank().rank())];
  TellStopRank(step, rank.where.worker_id(), event.rank(), cause, true);
  LoseRank(step, job, cause);
}

// In every state of a job that has not ended, from a rank that has left, too: notices come late
// when their worker was away, and a save that failed is worth knowing of even then.
void Take(StepContext& step, const pb::RankNotice& event) {
  step.Accept();
  const Job& job = JobOf(step, event.rank());
  Notice(step, job, NoticeReason(step.state(), job, event));
}

// A fact alone: nothing is decided by it.
void Take(StepContext& step, const pb::CheckpointCommitted& /*event*/) { step.Accept(); }

void Take(StepContext& step, const pb::TrainingDone& event) {
  step.Accept();
  const Job& job = JobOf(step, event.rank());
  if (job.state == pb::STOPPING) return ChangeTarget(step, job, pb::SUCCEEDED, DoneReason(job));
  // Reports of different workers may overtake each other: who has trained has joined.
  if (job.gang_phase == pb::COMING_UP) BecomeRunning(step, job);
  if (job.state != pb::RUNNING) return StopDoneGang(step, job);
  if (job.living_ranks == 0) BecomeSucceeded(step, job);
}

}  // namespace rm::scheduler
