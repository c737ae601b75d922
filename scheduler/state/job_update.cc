#include "scheduler/state/job_update.h"

#include <algorithm>
#include <csignal>

#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// With which a rank exits whose communicator was aborted because a peer was gone.
constexpr int32_t kPeerLostExitCode = 75;

GangRank& RankOf(Job& job, int32_t rank) { return job.gang[static_cast<size_t>(rank)]; }

// Closes a stay in the states that count against the time limit, or opens one.
void CountTime(Job& job, pb::JobState to, absl::Time now) {
  if (CountsTime(job.state) && !CountsTime(to)) {
    job.counted_before += now - job.counting_since;
    job.counting_since = absl::InfiniteFuture();
  } else if (!CountsTime(job.state) && CountsTime(to)) {
    job.counting_since = now;
  }
}

// Closes a stay in RUNNING, or opens one: while its ranks come up or leave, a job is not served.
void CountService(Job& job, pb::JobState to, absl::Time now) {
  if (job.state == pb::RUNNING && to != pb::RUNNING) {
    job.served_before += now - job.serving_since;
    job.serving_since = absl::InfiniteFuture();
  } else if (job.state != pb::RUNNING && to == pb::RUNNING) {
    job.serving_since = now;
  }
}

// The first cause of a stop stays its cause: "the grace is over" is a step on the way and no
// reason. Only another target, asked for by somebody, brings its own cause.
void EnterStopping(Job& job, const pb::JobTransition& transition) {
  const bool asked_anew = job.state != pb::STOPPING || job.stop_target != transition.stop_target();
  if (asked_anew) job.stop_cause = transition.reason();
  job.stop_target = transition.stop_target();
  job.stop_deadline = transition.deadline_ns() == 0 ? absl::InfiniteFuture()
                                                    : absl::FromUnixNanos(transition.deadline_ns());
}

// Nothing of a stop is left behind in a job that goes on.
void LeaveStopping(Job& job) {
  job.stop_target = pb::JOB_STATE_UNSPECIFIED;
  job.stop_cause.Clear();
  job.stop_deadline = absl::InfiniteFuture();
}

// Which loss is being handled: begins when the gang breaks, ends when a new one is placed or the
// job goes elsewhere.
void FollowLoss(Job& job, absl::Time now) {
  switch (job.gang_phase) {
    case pb::CAUSE_UNKNOWN:
    case pb::LEAVING: job.lost_at = std::min(job.lost_at, now); break;
    case pb::WAITING_FOR_SLOTS: break;
    default: job.lost_at = absl::InfiniteFuture();
  }
}

// A new generation: nothing of the last one is carried over, neither addresses nor ends.
void Assign(Job& job, const pb::JobTransition& transition) {
  job.gang.clear();
  job.gang.reserve(static_cast<size_t>(transition.placement_size()));
  for (const pb::Placement& placement : transition.placement()) {
    GangRank rank;
    rank.where = placement;
    job.gang.push_back(std::move(rank));
  }
  job.heard_ranks = 0;
  job.joined_ranks = 0;
  job.living_ranks = job.world_size();
  job.left_early_at = absl::InfiniteFuture();
}

// A rank of a gang that is being killed may end in any way because of that. One of a gang that was
// asked to leave in peace fails by itself only if it says so.
bool MayBeACause(const Job& job, const pb::RankExited& event) {
  if (job.state == pb::STOPPING) return event.exit_code() != 0 && !event.cause().code().empty();
  return job.Together() || job.gang_phase == pb::CAUSE_UNKNOWN;
}

// Ranks that fail in the same generation count once: the first one is the cause of the others.
void NoteOwnFailure(Job& job, int64_t step) {
  if (job.failed_generation == job.generation) return;
  job.failed_again = job.failed_generation != 0 && job.failed_step == step;
  job.failed_generation = job.generation;
  job.failed_step = step;
}

// The newest value of each name wins; names that are not reported again keep theirs.
template <typename Metrics>
void TakeMetrics(Job& job, const Metrics& metrics) {
  for (const auto& [name, value] : metrics) job.metrics[name] = value;
}

}  // namespace

// The order matters: what is counted and compared looks at the state that is left, so the new state
// is set after that.
void Enter(Job& job, const pb::JobTransition& transition) {
  const absl::Time now = absl::FromUnixNanos(transition.time_ns());
  const pb::JobState to = transition.to();
  CountTime(job, to, now);
  CountService(job, to, now);
  if (to == pb::STOPPING) {
    EnterStopping(job, transition);
  } else if (job.state == pb::STOPPING) {
    LeaveStopping(job);
  }
  if (job.state != to) job.since = now;
  if (to == pb::RUNNING && job.first_running == absl::InfinitePast()) job.first_running = now;
  if (IsEnded(to)) job.ended = now;
  job.state = to;
  job.reason = transition.reason();
  job.restarts = transition.restarts();
  job.generation = transition.generation();
  job.gang_phase = transition.gang_phase();
  FollowLoss(job, now);
  if (transition.placement_size() > 0) Assign(job, transition);
}

// May be called again for a rank that is gone: its exit and the loss of its worker can both be
// told.
void MarkGone(Job& job, int32_t rank) {
  GangRank& gang_rank = RankOf(job, rank);
  if (gang_rank.gone()) return;
  gang_rank.phase = RankPhase::kGone;
  --job.living_ranks;
}

void Note(Job& job, const pb::PreflightVerdict& verdict) {
  job.preflight_pending = false;
  job.preflight_errors.assign(verdict.errors().begin(), verdict.errors().end());
}

void Note(Job& job, const pb::RankListening& event) {
  GangRank& rank = RankOf(job, event.rank().rank());
  rank.phase = RankPhase::kListening;
  rank.address = event.address();
  ++job.heard_ranks;
}

// All ranks load the same checkpoint, so the first one to join says for all where the generation
// goes on from.
void Note(Job& job, const pb::RankJoined& event) {
  GangRank& rank = RankOf(job, event.rank().rank());
  rank.phase = RankPhase::kJoined;
  rank.joined = true;
  ++job.joined_ranks;
  if (job.lineage.empty() || job.lineage.back().generation != job.generation) {
    job.lineage.push_back({job.generation, event.first_step()});
  }
  // A generation follows the plan that it was given, unless its machines cannot; then it says which
  // it made instead, and that one is kept from here on.
  if (event.has_plan()) job.plan = event.plan();
}

void Note(Job& job, const pb::RankExited& event, absl::Time now) {
  GangRank& rank = RankOf(job, event.rank().rank());
  rank.exit_code = event.exit_code();
  rank.signal = event.signal();
  rank.last_step = event.step();
  rank.exited = true;
  MarkGone(job, event.rank().rank());
  if (IsOwnFailure(event) && MayBeACause(job, event)) NoteOwnFailure(job, event.step());
  if (IsCleanExit(event) && job.Together()) job.left_early_at = std::min(job.left_early_at, now);
}

// Reports of a worker that was away come late: an older checkpoint does not hide a newer one.
void Note(Job& job, const pb::CheckpointCommitted& event) {
  if (event.step() < job.last_checkpoint_step) return;
  job.last_checkpoint_step = event.step();
  job.last_checkpoint_path = event.path();
  TakeMetrics(job, event.metrics());
}

void Note(Job& job, const pb::TrainingDone& event, absl::Time now) {
  job.training_done = true;
  job.training_done_at = now;
  job.final_step = event.step();
  job.weights_sha256 = event.weights_sha256();
  TakeMetrics(job, event.metrics());
}

// A rank that hangs at a step will do so again there; one that did not come up, or a network that
// stood still, may fare better next time.
void Note(Job& job, const pb::RankHung& event) {
  const bool own = job.state == pb::RUNNING && event.cause().code() != "GangStandsStill";
  if (own) NoteOwnFailure(job, event.step());
}

void AwaitAnew(Job& job, absl::Time now) {
  if (!MayHoldSlots(job.state)) return;
  if (job.left_early_at != absl::InfiniteFuture()) job.left_early_at = now;
  if (job.training_done) job.training_done_at = now;
  if (job.gang_phase == pb::CAUSE_UNKNOWN) job.lost_at = now;
}

bool IsConsequence(const pb::RankExited& event) {
  return event.exit_code() == kPeerLostExitCode || event.cause().code() == "PeerLost";
}

bool IsCleanExit(const pb::RankExited& event) {
  return event.exit_code() == 0 && event.signal() == 0 && !IsConsequence(event);
}

bool IsOwnFailure(const pb::RankExited& event) {
  if (IsConsequence(event) || IsCleanExit(event)) return false;
  if (event.cause().code() == "OutOfMemory") return true;  // the kernel's SIGKILL, for what it used
  return event.signal() != SIGHUP && event.signal() != SIGINT && event.signal() != SIGKILL &&
         event.signal() != SIGTERM;
}

}  // namespace rm::scheduler
