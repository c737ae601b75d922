#include "scheduler/state/transition_check.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "scheduler/state/job_state.h"
#include "scheduler/state/worker_state.h"

namespace rm::scheduler {
namespace {

// "job a, Queued to Running: …".
template <typename... Parts>
absl::Status Wrong(const pb::JobTransition& transition, const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("job ", transition.job_id(), ", ",
                                                 StateName(transition.from()), " to ",
                                                 StateName(transition.to()), ": ", parts...));
}

bool MakesGang(pb::JobState to) { return to == pb::STARTING || to == pb::RECOVERING; }

// From where the job stands, along an arrow that there is.
absl::Status CheckArrow(const Job* job, const pb::JobTransition& transition) {
  const pb::JobState from = transition.from();
  if (from == pb::JOB_STATE_UNSPECIFIED) {
    if (job != nullptr && !IsEnded(job->state)) {
      return Wrong(transition, "the job exists already");
    }
    if (transition.submission().job_id() != transition.job_id()) {
      return Wrong(transition, "its submission is missing");
    }
  } else {
    if (job == nullptr) return Wrong(transition, "there is no such job");
    if (job->state != from) {
      return Wrong(transition, "the job is ", StateName(job->state));
    }
  }
  if (!IsLegal(from, transition.to())) return Wrong(transition, "there is no such arrow");
  return absl::OkStatus();
}

// A notice says something of a job and leaves it as it is.
absl::Status CheckNotice(const Job* job, const pb::JobTransition& transition) {
  if (job == nullptr) return Wrong(transition, "there is no such job");
  const bool same = transition.from() == job->state && transition.to() == job->state &&
                    transition.generation() == job->generation && transition.placement().empty();
  if (!same) return Wrong(transition, "a notice changes nothing");
  return absl::OkStatus();
}

// What a transition carries must fit its arrow: a placement means a new generation that comes up,
// and the other way round.
absl::Status CheckContent(const Job* job, const pb::JobTransition& transition) {
  const bool placed = transition.placement_size() > 0;
  const bool makes_gang = MakesGang(transition.to());
  if (placed != (transition.gang_phase() == pb::COMING_UP)) {
    return Wrong(transition, "a gang comes up with a placement, and only then");
  }
  if (makes_gang != (transition.gang_phase() != pb::GANG_PHASE_UNSPECIFIED)) {
    return Wrong(transition, "a gang phase belongs to Starting and Recovering");
  }
  if (transition.from() == pb::QUEUED && makes_gang && !placed) {
    return Wrong(transition, "it has no placement");
  }
  const bool is_new = transition.from() == pb::JOB_STATE_UNSPECIFIED;
  const int64_t before = is_new ? 0 : job->generation;
  if (transition.generation() != before + (placed ? 1 : 0)) {
    return Wrong(transition, "generation ", transition.generation(), " after ", before);
  }
  const pb::JobState target = transition.stop_target();
  const bool has_target = target != pb::STOPPING && IsLegal(pb::STOPPING, target);
  if (transition.to() == pb::STOPPING && !has_target) {
    return Wrong(transition, "it cannot become ", StateName(target));
  }
  return absl::OkStatus();
}

// A slot of a placement must exist on a usable worker and be free or held by the job itself.
absl::Status CheckPlacement(const ClusterState& state, const Job& job,
                            const pb::JobTransition& transition) {
  std::vector<std::pair<int64_t, int32_t>> slots;
  for (int i = 0; i < transition.placement_size(); ++i) {
    const pb::Placement& placement = transition.placement(i);
    if (placement.rank() != i)
      return Wrong(transition, "rank ", placement.rank(), " stands at ", i);
    const Worker* worker = state.FindWorker(placement.worker_id());
    if (worker == nullptr || !worker->Usable()) {
      return Wrong(transition, "worker ", placement.worker_id(), " is not Ready, or is apart");
    }
    for (const int32_t slot : placement.slots()) {
      if (slot < 0 || slot >= static_cast<int32_t>(worker->slots.size())) {
        return Wrong(transition, "worker ", worker->id, " has no slot ", slot);
      }
      const Job* holder = worker->slots[static_cast<size_t>(slot)].holder;
      if (holder != nullptr && holder != &job) {
        return Wrong(transition, "slot ", slot, " of worker ", worker->id, " is held by job ",
                     holder->id());
      }
      slots.emplace_back(worker->ordinal, slot);
    }
  }
  std::sort(slots.begin(), slots.end());
  if (std::adjacent_find(slots.begin(), slots.end()) != slots.end()) {
    return Wrong(transition, "a slot is given to two ranks");
  }
  return absl::OkStatus();
}

absl::Status CheckJob(const ClusterState& state, const std::string& job_id) {
  if (state.FindJob(job_id) != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("an event of job ", job_id, ", which is not there"));
}

absl::Status CheckRank(const ClusterState& state, const pb::RankRef& rank) {
  RM_RETURN_IF_ERROR(CheckJob(state, rank.job_id()));
  const int32_t world_size = state.FindJob(rank.job_id())->world_size();
  if (rank.rank() >= 0 && rank.rank() < world_size) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("an event of rank ", rank.rank(), " of job ",
                                                 rank.job_id(), ", which has ", world_size,
                                                 " ranks"));
}

// Not there: never was, or is lost. Which of both is a matter of how much of the past is kept, and
// a fold may keep more or less of it than the core that wrote the record.
bool IsAway(pb::WorkerState state) {
  return state == pb::WORKER_STATE_UNSPECIFIED || state == pb::LOST;
}

}  // namespace

absl::Status CheckTransition(const ClusterState& state, const pb::JobTransition& transition) {
  const Job* job = state.FindJob(transition.job_id());
  if (transition.notice()) return CheckNotice(job, transition);
  RM_RETURN_IF_ERROR(CheckArrow(job, transition));
  RM_RETURN_IF_ERROR(CheckContent(job, transition));
  if (transition.placement_size() == 0) return absl::OkStatus();
  return CheckPlacement(state, *job, transition);
}

absl::Status CheckTransition(const ClusterState& state, const pb::WorkerTransition& transition) {
  const Worker* worker = state.FindWorker(transition.worker_id());
  const pb::WorkerState now = worker == nullptr ? pb::WORKER_STATE_UNSPECIFIED : worker->state;
  const bool same = now == transition.from() || (IsAway(now) && IsAway(transition.from()));
  if (!same || !IsLegal(transition.from(), transition.to())) {
    return absl::InvalidArgumentError(
        absl::StrCat("worker ", transition.worker_id(), ", ", WorkerStateName(transition.from()),
                     " to ", WorkerStateName(transition.to()), ": it is ", WorkerStateName(now)));
  }
  if (transition.to() != pb::READY) return absl::OkStatus();
  const bool resized =
      worker != nullptr && transition.slots() != static_cast<int32_t>(worker->slots.size());
  const bool possible = transition.slots() >= 1 && transition.slots() <= kSlotsPerWorkerMax;
  if (!possible || (resized && worker->used_slots() > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("worker ", transition.worker_id(), ": ", transition.slots(),
                     resized ? " slots, while some are held" : " slots"));
  }
  return absl::OkStatus();
}

// Only what is needed so that the fact has a place: whether the event was legal was decided when it
// was recorded.
absl::Status CheckFacts(const ClusterState& state, const pb::Event& event) {
  switch (event.event_case()) {
    case pb::Event::kPreflight: return CheckJob(state, event.preflight().job_id());
    case pb::Event::kRankListening: return CheckRank(state, event.rank_listening().rank());
    case pb::Event::kRankJoined: return CheckRank(state, event.rank_joined().rank());
    case pb::Event::kRankExited: return CheckRank(state, event.rank_exited().rank());
    case pb::Event::kStartRefused: return CheckRank(state, event.start_refused().rank());
    case pb::Event::kCheckpointCommitted:
      return CheckRank(state, event.checkpoint_committed().rank());
    case pb::Event::kTrainingDone: return CheckRank(state, event.training_done().rank());
    case pb::Event::kRankHung: return CheckRank(state, event.rank_hung().rank());
    default: return absl::OkStatus();
  }
}

bool HoldsSlot(const Worker& worker, int32_t slot, const Job& job, int32_t rank) {
  if (slot < 0 || slot >= static_cast<int32_t>(worker.slots.size())) return false;
  const Slot& held = worker.slots[static_cast<size_t>(slot)];
  return held.holder == &job && held.rank == rank;
}

}  // namespace rm::scheduler
