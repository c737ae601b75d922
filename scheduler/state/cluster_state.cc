#include "scheduler/state/cluster_state.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "base/status.h"
#include "scheduler/state/attach.h"
#include "scheduler/state/job_state.h"
#include "scheduler/state/job_update.h"
#include "scheduler/state/timer.h"
#include "scheduler/state/transition_check.h"

namespace rm::scheduler {

ClusterState::ClusterState(QueueRankFn queue_rank, const Windows& windows,
                           const Retention& retention)
    : queue_(queue_rank), replacing_(queue_rank), windows_(windows), retention_(retention) {}

const Job* ClusterState::FindJob(absl::string_view id) const {
  const auto found = job_of_id_.find(id);
  return found == job_of_id_.end() ? nullptr : found->second;
}

const Worker* ClusterState::FindWorker(absl::string_view id) const {
  const auto found = worker_of_id_.find(id);
  return found == worker_of_id_.end() ? nullptr : found->second;
}

// The two indices are ordered, so their first entries are enough.
absl::Time ClusterState::next_deadline() const {
  absl::Time next = absl::InfiniteFuture();
  if (!job_deadlines_.empty()) next = std::min(next, job_deadlines_.begin()->first);
  if (!worker_deadlines_.empty()) next = std::min(next, worker_deadlines_.begin()->first);
  return next;
}

// A wall clock may be set back; the durations that we measure must not become negative.
void ClusterState::AdvanceTo(absl::Time now) { now_ = std::max(now_, now); }

Job& ClusterState::MutableJob(absl::string_view id) {
  const auto found = job_of_id_.find(id);
  RM_CHECK(found != job_of_id_.end(), "no job ", id);
  return *found->second;
}

// ---- facts ----------------------------------------------------------------------------------

void ClusterState::Apply(const pb::Event& event) {
  switch (event.event_case()) {
    case pb::Event::kPreflight: return NoteFor(event.preflight().job_id(), event.preflight());
    case pb::Event::kRankListening:
      return NoteFor(event.rank_listening().rank().job_id(), event.rank_listening());
    case pb::Event::kRankJoined:
      return NoteFor(event.rank_joined().rank().job_id(), event.rank_joined());
    case pb::Event::kRankExited:
      return NoteFor(event.rank_exited().rank().job_id(), event.rank_exited(), now_);
    case pb::Event::kCheckpointCommitted:
      return NoteFor(event.checkpoint_committed().rank().job_id(), event.checkpoint_committed());
    case pb::Event::kTrainingDone:
      return NoteFor(event.training_done().rank().job_id(), event.training_done(), now_);
    case pb::Event::kStartRefused: {
      const pb::RankRef& rank = event.start_refused().rank();
      return NoteGone(rank.job_id(), rank.rank());
    }
    case pb::Event::kRankHung: return NoteFor(event.rank_hung().rank().job_id(), event.rank_hung());
    case pb::Event::kWorkerAttached: return NoteMissing(event.worker_attached());
    case pb::Event::kCoordinatorStarted: return NoteStart();
    default: return;  // its whole effect is in the transitions
  }
}

// Every fact may move a timer (a rank that leaves early, the end of the training), so each is
// followed by Reindex.
template <typename... Fact>
void ClusterState::NoteFor(const std::string& job_id, const Fact&... fact) {
  Job& job = MutableJob(job_id);
  Note(job, fact...);
  Reindex(job);
}

void ClusterState::NoteGone(const std::string& job_id, int32_t rank) {
  Job& job = MutableJob(job_id);
  MarkGone(job, rank);
  Reindex(job);
}

// A worker that comes back with another number of slots is taken for a new one: it is lost first,
// with all its ranks (see worker_events.cc), so there is nothing to compare here.
void ClusterState::NoteMissing(const pb::WorkerAttached& attached) {
  const Worker* worker = FindWorker(attached.worker_id());
  if (worker == nullptr || static_cast<int32_t>(worker->slots.size()) != attached.slots()) return;
  for (const auto& [job, rank] : MissingRanks(*worker, attached)) NoteGone(job->id(), rank);
}

// Once in the life of a coordinator, so a walk over all jobs is well spent.
void ClusterState::NoteStart() {
  for (auto& [id, job] : jobs_) {
    AwaitAnew(job, now_);
    Reindex(job);
  }
}

void ClusterState::Apply(const pb::Refusal& refusal) { ++refusals_[refusal.reason().code()]; }

// ---- transitions of jobs --------------------------------------------------------------------

absl::Status ClusterState::Apply(const pb::JobTransition& transition) {
  RM_RETURN_IF_ERROR(CheckTransition(*this, transition));
  if (transition.notice()) return absl::OkStatus();
  if (transition.from() == pb::JOB_STATE_UNSPECIFIED) AddJob(transition);
  Job& job = MutableJob(transition.job_id());
  // The slots of the last generation are released before the new gang is entered, and held after: a
  // rank that stays where it was gets its slots back at once.
  const bool placed = transition.placement_size() > 0;
  if (placed) ReleaseSlots(job);
  Enter(job, transition);
  if (placed) HoldSlots(job);
  if (!MayHoldSlots(job.state)) ReleaseSlots(job);
  if (IsEnded(job.state)) {
    ended_.push_back(job.id());
    history_.End(job);
  }
  Reindex(job);
  return absl::OkStatus();
}

// The sequence is the order of the queue for jobs of equal rank. An ended job of the same id had
// been forgotten by whoever made this record; it is in no index.
void ClusterState::AddJob(const pb::JobTransition& transition) {
  const auto entry = jobs_.try_emplace(transition.job_id()).first;
  Job& job = entry->second;
  job_of_id_[entry->first] = &job;
  if (IsEnded(job.state)) {
    ended_.erase(std::find(ended_.begin(), ended_.end(), job.id()));
    history_.Forget(job);
    job = Job();
  }
  job.submission = transition.submission();
  job.sequence = ++last_sequence_;
  job.submitted = absl::FromUnixNanos(transition.time_ns());
  job.preflight_pending = transition.submission().preflight_pending();
  history_.Add(job);
}

void ClusterState::HoldSlots(const Job& job) {
  for (const GangRank& rank : job.gang) {
    Worker& worker = *worker_of_id_.find(rank.where.worker_id())->second;
    const int32_t before = worker.free_slots;
    for (const int32_t slot : rank.where.slots()) {
      worker.slots[static_cast<size_t>(slot)] = {&job, rank.where.rank()};
      --worker.free_slots;
    }
    free_slots_.Move(worker, before);
  }
}

// Only what the job still holds: a worker may have been lost and come back since, and given the
// same slots to another job.
void ClusterState::ReleaseSlots(const Job& job) {
  for (const GangRank& rank : job.gang) {
    const auto found = worker_of_id_.find(rank.where.worker_id());
    if (found == worker_of_id_.end()) continue;  // lost, and forgotten since
    Worker& worker = *found->second;
    const int32_t before = worker.free_slots;
    for (const int32_t number : rank.where.slots()) {
      if (!HoldsSlot(worker, number, job, rank.where.rank())) continue;
      worker.slots[static_cast<size_t>(number)] = Slot();
      ++worker.free_slots;
    }
    if (worker.free_slots == before) continue;
    free_slots_.Move(worker, before);
    ++room_version_;
  }
}

// What the indices hold is remembered in the job, so that a change that does not concern them costs
// no search.
void ClusterState::Reindex(Job& job) {
  if (job.in_queue != job.Placeable()) {
    job.in_queue = job.Placeable();
    queue_.Set(job, job.in_queue);
    if (job.in_queue) ++room_version_;
  }
  if (job.in_holding != MayHoldSlots(job.state)) {
    job.in_holding = MayHoldSlots(job.state);
    if (job.in_holding) {
      holding_.insert(&job);
    } else {
      holding_.erase(&job);
    }
  }
  const bool replacing = job.gang_phase == pb::WAITING_FOR_SLOTS;
  if (job.in_replacing != replacing) {
    job.in_replacing = replacing;
    replacing_.Set(job, replacing);
  }
  const absl::Time deadline = NextTimer(job, windows_).at;
  if (job.indexed_deadline == deadline) return;
  job_deadlines_.erase({job.indexed_deadline, job.id()});
  if (deadline != absl::InfiniteFuture()) job_deadlines_.insert({deadline, job.id()});
  job.indexed_deadline = deadline;
}

// ---- transitions of workers -----------------------------------------------------------------

absl::Status ClusterState::Apply(const pb::WorkerTransition& transition) {
  RM_RETURN_IF_ERROR(CheckTransition(*this, transition));
  const auto entry = workers_.try_emplace(transition.worker_id()).first;
  Worker& worker = entry->second;
  worker_of_id_[entry->first] = &worker;
  // A worker that is new is in no index yet.
  const int32_t before = worker.ordinal == 0 ? -1 : worker.free_slots;
  if (worker.ordinal == 0) worker.ordinal = ++last_ordinal_;
  worker.id = transition.worker_id();
  worker_deadlines_.erase({WorkerDeadline(worker, windows_), worker.id});
  CountCapacity(worker, -1);
  // Absent again: since the coordinator started again, and not since it did so before.
  const bool anew = worker.state != transition.to() || transition.to() == pb::ABSENT;
  if (anew) worker.since = absl::FromUnixNanos(transition.time_ns());
  worker.state = transition.to();
  worker.reason = transition.reason();
  if (worker.state == pb::READY) Describe(worker, transition);
  if (worker.state == pb::LOST) LoseSlots(worker);
  FollowLoss(worker);
  free_slots_.Move(worker, before);
  CountCapacity(worker, 1);
  const absl::Time deadline = WorkerDeadline(worker, windows_);
  if (deadline != absl::InfiniteFuture()) worker_deadlines_.insert({deadline, worker.id});
  ++capacity_version_;
  ++room_version_;
  return absl::OkStatus();
}

void ClusterState::CountCapacity(const Worker& worker, int64_t by) {
  if (!worker.Counts()) return;
  const auto count = capacity_.emplace(static_cast<int32_t>(worker.slots.size()), 0).first;
  count->second += by;
  if (count->second == 0) capacity_.erase(count);
}

// Each loss has a number of its own, so that a worker that is lost for the second time is among the
// youngest again.
void ClusterState::FollowLoss(Worker& worker) {
  if (worker.loss > 0) losses_.erase(worker.loss);
  worker.loss = worker.state == pb::LOST ? ++last_loss_ : 0;
  if (worker.loss > 0) losses_[worker.loss] = worker.id;
}

// Neither is in an index: an ended job holds nothing, and a lost worker has no slots to give. The
// counters stay, so that no number is given twice.
void ClusterState::Forget() {
  while (static_cast<int64_t>(ended_.size()) > retention_.ended_jobs) {
    const auto oldest = jobs_.find(ended_.front());
    history_.Forget(oldest->second);
    job_of_id_.erase(oldest->first);
    jobs_.erase(oldest);
    ended_.pop_front();
  }
  while (static_cast<int64_t>(losses_.size()) > retention_.lost_workers) {
    worker_of_id_.erase(losses_.begin()->second);
    workers_.erase(losses_.begin()->second);
    losses_.erase(losses_.begin());
  }
}

void ClusterState::Describe(Worker& worker, const pb::WorkerTransition& transition) {
  worker.host = transition.host();
  worker.version = transition.version();
  worker.storage_problem = transition.storage_problem();
  worker.labels.clear();
  worker.labels.insert(transition.labels().begin(), transition.labels().end());
  const size_t slots = static_cast<size_t>(transition.slots());
  if (worker.slots.size() == slots) return;
  worker.slots.assign(slots, Slot());
  worker.free_slots = transition.slots();
}

// The ranks go first: their jobs still know them by these slots.
void ClusterState::LoseSlots(Worker& worker) {
  for (Slot& slot : worker.slots) {
    if (!slot.free()) NoteGone(slot.holder->id(), slot.rank);
    slot = Slot();
  }
  worker.free_slots = static_cast<int32_t>(worker.slots.size());
}

}  // namespace rm::scheduler
