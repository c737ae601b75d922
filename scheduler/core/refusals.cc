#include "scheduler/core/refusals.h"

#include "absl/strings/str_cat.h"
#include "scheduler/core/reasons.h"
#include "scheduler/placement/placement.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// Larger gangs are a mistake; the product also stays far from the end of an int32.
constexpr int32_t kRanksMax = 1 << 16;
constexpr int32_t kSlotsPerRankMax = 1 << 12;

// A refusal with its sentence in pieces.
template <typename... Parts>
Refused No(absl::string_view code, const Parts&... parts) {
  return MakeReason(code, absl::StrCat(parts...));
}

// Of a job that must exist and not have ended.
Refused CheckAlive(const ClusterState& state, const std::string& job_id) {
  const Job* job = state.FindJob(job_id);
  if (job == nullptr) return No("UnknownJob", "there is no job ", job_id);
  if (IsEnded(job->state)) {
    return No("JobEnded", "job ", job_id, " has ended as ", StateName(job->state));
  }
  return absl::nullopt;
}

// Of a job that must be alive and of its present generation, and of a rank that its gang has.
Refused CheckMember(const ClusterState& state, const pb::RankRef& ref) {
  if (Refused refused = CheckAlive(state, ref.job_id())) return refused;
  const Job& job = *state.FindJob(ref.job_id());
  if (ref.generation() != job.generation) {
    return No("StaleGeneration", "generation ", ref.generation(), " of job ", job.id(),
              " is not the present one, ", job.generation);
  }
  if (ref.rank() < 0 || ref.rank() >= job.world_size()) {
    return No("UnknownRank", "job ", job.id(), " has ", job.world_size(), " ranks and no rank ",
              ref.rank());
  }
  return absl::nullopt;
}

// The same, and the rank must not be proven gone.
Refused CheckLiving(const ClusterState& state, const pb::RankRef& ref) {
  if (Refused refused = CheckMember(state, ref)) return refused;
  const Job& job = *state.FindJob(ref.job_id());
  if (job.gang[static_cast<size_t>(ref.rank())].gone()) {
    return No("RankGone", "rank ", ref.rank(), " of job ", job.id(), " generation ", job.generation,
              " is gone already");
  }
  return absl::nullopt;
}

RankPhase PhaseOf(const ClusterState& state, const pb::RankRef& ref) {
  return state.FindJob(ref.job_id())->gang[static_cast<size_t>(ref.rank())].phase;
}

Refused AlreadyStopping(const Job& job) {
  return No("AlreadyStopping", "job ", job.id(), " is stopping and becomes ",
            StateName(job.stop_target));
}

// It stops only to be paused or placed again: a stronger wish may still come.
bool GoesOnLater(const Job& job) {
  return job.stop_target == pb::PAUSED || job.stop_target == pb::QUEUED;
}

}  // namespace

Refused Refuse(const ClusterState& state, const pb::SubmitJob& event) {
  const pb::ResourceSpec& wanted = event.spec().resources();
  if (event.job_id().empty()) return No("InvalidJob", "the job has no id");
  if (state.FindJob(event.job_id()) != nullptr) {
    return No("DuplicateJob", "there is a job ", event.job_id(), " already");
  }
  if (wanted.ranks_min() < 1 || wanted.ranks_max() < wanted.ranks_min() ||
      wanted.ranks_max() > kRanksMax) {
    return No("InvalidJob", "ranks must be 1 to ", kRanksMax, ", min up to max: min ",
              wanted.ranks_min(), ", max ", wanted.ranks_max());
  }
  if (wanted.slots_per_rank() < 1 || wanted.slots_per_rank() > kSlotsPerRankMax) {
    return No("InvalidJob", "slots_per_rank must be 1 to ", kSlotsPerRankMax, ": ",
              wanted.slots_per_rank());
  }
  if (!wanted.placement().empty() && FindPlacer(wanted.placement()) == nullptr) {
    return No("InvalidJob", "there is no placement ", wanted.placement(), ", but ", PlacerNames());
  }
  return absl::nullopt;
}

// A second kill, or a cancel after a cancel, would change nothing. A kill after a cancel ends the
// grace.
Refused Refuse(const ClusterState& state, const pb::CancelJob& event) {
  if (Refused refused = CheckAlive(state, event.job_id())) return refused;
  const Job& job = *state.FindJob(event.job_id());
  if (job.state != pb::STOPPING || GoesOnLater(job)) return absl::nullopt;
  const bool hurries = event.kill() && job.stop_deadline != absl::InfiniteFuture();
  return hurries ? Refused() : AlreadyStopping(job);
}

Refused Refuse(const ClusterState& state, const pb::PauseJob& event) {
  if (Refused refused = CheckAlive(state, event.job_id())) return refused;
  const Job& job = *state.FindJob(event.job_id());
  if (job.state == pb::PAUSED) return No("AlreadyPaused", "job ", job.id(), " is Paused");
  if (job.state == pb::STOPPING && job.stop_target != pb::QUEUED) return AlreadyStopping(job);
  if (job.training_done) return No("AlreadyDone", "job ", job.id(), " is trained to its end");
  return absl::nullopt;
}

// Also before all ranks have left for the pause: the job is then placed again when they have.
Refused Refuse(const ClusterState& state, const pb::ResumeJob& event) {
  if (Refused refused = CheckAlive(state, event.job_id())) return refused;
  const Job& job = *state.FindJob(event.job_id());
  if (job.state == pb::PAUSED || job.stop_target == pb::PAUSED) return absl::nullopt;
  return No("NotPaused", "job ", job.id(), " is ", StateName(job.state));
}

Refused Refuse(const ClusterState& state, const pb::PreflightVerdict& event) {
  if (Refused refused = CheckAlive(state, event.job_id())) return refused;
  const Job& job = *state.FindJob(event.job_id());
  if (job.preflight_pending) return absl::nullopt;
  return No("NotPending", "job ", job.id(), " waits for no preflight");
}

Refused Refuse(const ClusterState& /*state*/, const pb::WorkerAttached& event) {
  if (event.worker_id().empty()) return No("InvalidWorker", "the worker has no id");
  if (event.slots() < 1 || event.slots() > kSlotsPerWorkerMax) {
    return No("InvalidWorker", "worker ", event.worker_id(), " must have 1 to ", kSlotsPerWorkerMax,
              " slots: ", event.slots());
  }
  return absl::nullopt;
}

Refused Refuse(const ClusterState& state, const pb::WorkerLost& event) {
  const Worker* worker = state.FindWorker(event.worker_id());
  if (worker == nullptr) return No("UnknownWorker", "there is no worker ", event.worker_id());
  if (worker->state != pb::LOST) return absl::nullopt;
  return No("AlreadyLost", "worker ", worker->id, " is Lost already");
}

// An absent worker is silent by definition, and a suspect is one already.
Refused Refuse(const ClusterState& state, const pb::WorkerSilent& event) {
  const Worker* worker = state.FindWorker(event.worker_id());
  if (worker == nullptr) return No("UnknownWorker", "there is no worker ", event.worker_id());
  if (worker->state == pb::READY) return absl::nullopt;
  if (worker->state == pb::LOST) return No("AlreadyLost", "worker ", worker->id, " is Lost");
  return No("NotReady", "worker ", worker->id, " is ", WorkerStateName(worker->state));
}

// A worker that re-attached in the same instant is Ready with that; this comes too late then.
Refused Refuse(const ClusterState& state, const pb::WorkerHeard& event) {
  const Worker* worker = state.FindWorker(event.worker_id());
  if (worker == nullptr) return No("UnknownWorker", "there is no worker ", event.worker_id());
  if (worker->state == pb::SUSPECT) return absl::nullopt;
  return No("NotSilent", "worker ", worker->id, " is ", WorkerStateName(worker->state));
}

Refused Refuse(const ClusterState& state, const pb::RankListening& event) {
  if (Refused refused = CheckLiving(state, event.rank())) return refused;
  if (PhaseOf(state, event.rank()) == RankPhase::kAssigned) return absl::nullopt;
  return No("AlreadyListening", "rank ", event.rank().rank(), " of job ", event.rank().job_id(),
            " has said before where it listens");
}

Refused Refuse(const ClusterState& state, const pb::RankJoined& event) {
  if (Refused refused = CheckLiving(state, event.rank())) return refused;
  const RankPhase phase = PhaseOf(state, event.rank());
  if (phase == RankPhase::kListening) return absl::nullopt;
  if (phase == RankPhase::kJoined) {
    return No("AlreadyJoined", "rank ", event.rank().rank(), " of job ", event.rank().job_id(),
              " has joined before");
  }
  return No("NotListening", "rank ", event.rank().rank(), " of job ", event.rank().job_id(),
            " has not said yet where it listens");
}

Refused Refuse(const ClusterState& state, const pb::RankExited& event) {
  return CheckLiving(state, event.rank());
}

Refused Refuse(const ClusterState& state, const pb::StartRefused& event) {
  if (Refused refused = CheckLiving(state, event.rank())) return refused;
  if (PhaseOf(state, event.rank()) == RankPhase::kAssigned) return absl::nullopt;
  return No("NotAssigned", "rank ", event.rank().rank(), " of job ", event.rank().job_id(),
            " has started");
}

// Also of a rank that is gone: what it committed before it went counts, and a worker that was away
// reports it late.
Refused Refuse(const ClusterState& state, const pb::CheckpointCommitted& event) {
  return CheckMember(state, event.rank());
}

// Also of a rank that is gone, for the same reason; but a job that has no gang any more cannot take
// it back: its next generation finds the final checkpoint and ends at once.
Refused Refuse(const ClusterState& state, const pb::TrainingDone& event) {
  if (Refused refused = CheckMember(state, event.rank())) return refused;
  const Job& job = *state.FindJob(event.rank().job_id());
  if (job.training_done) return No("AlreadyDone", "job ", job.id(), " is trained to its end");
  if (MayHoldSlots(job.state)) return absl::nullopt;
  return No("NoGang", "job ", job.id(), " is ", StateName(job.state), " and has no gang");
}

Refused Refuse(const ClusterState& state, const pb::RankNotice& event) {
  return CheckMember(state, event.rank());
}

// The first hang of a gang breaks it. Others of the same generation are what the first one caused,
// or are found in the same instant; either way they are being stopped.
Refused Refuse(const ClusterState& state, const pb::RankHung& event) {
  if (Refused refused = CheckLiving(state, event.rank())) return refused;
  const Job& job = *state.FindJob(event.rank().job_id());
  if (job.state == pb::STOPPING) return AlreadyStopping(job);
  if (job.training_done) return No("AlreadyDone", "job ", job.id(), " is trained to its end");
  if (job.Together() || job.gang_phase == pb::CAUSE_UNKNOWN) return absl::nullopt;
  return No("AlreadyLeaving", "generation ", job.generation, " of job ", job.id(),
            " is being stopped");
}

Refused Refuse(const ClusterState& /*state*/, const pb::CoordinatorStarted& /*event*/) {
  return absl::nullopt;
}

Refused Refuse(const ClusterState& /*state*/, const pb::Tick& /*event*/) { return absl::nullopt; }

// The same checks as for an event of that rank, and its place.
Refused RefuseRunning(const ClusterState& state, const Worker& worker, const pb::RankRef& running) {
  if (Refused refused = CheckLiving(state, running)) return refused;
  const Job& job = *state.FindJob(running.job_id());
  const GangRank& rank = job.gang[static_cast<size_t>(running.rank())];
  if (rank.where.worker_id() == worker.id) return absl::nullopt;
  return No("UnknownRank", "rank ", running.rank(), " of job ", job.id(), " runs on worker ",
            rank.where.worker_id());
}

}  // namespace rm::scheduler
