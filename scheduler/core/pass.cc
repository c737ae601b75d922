#include "scheduler/core/pass.h"

#include <vector>

#include "base/check.h"
#include "scheduler/core/lifecycle.h"
#include "scheduler/core/reasons.h"
#include "scheduler/placement/gang.h"

namespace rm::scheduler {
namespace {

// Entries of jobs that are gone which are not worth a new start.
constexpr size_t kStaleMax = 1024;

// A next generation, or the way out of STARTING and RECOVERING when there is no place for one.
void PlaceEmptied(StepContext& step, const Job& job) {
  const bool waits_for_place = job.gang_phase == pb::LEAVING && job.living_ranks == 0;
  if (!waits_for_place) return;
  const std::vector<pb::Placement> gang =
      PlaceAgain(step.state(), PlacerFor(job, step.options()), job);
  if (!gang.empty()) return StartNextGeneration(step, job, gang);
  if (job.state == pb::STARTING) return Requeue(step, job, NoPlaceReason(job));
  const absl::Duration grace = absl::Seconds(job.scheduling().recovery_grace());
  if (step.now() >= job.lost_at + grace) return Requeue(step, job, RecoveryGraceReason(job));
  WaitForSlots(step, job);
}

// In the order of the queue. The next one is looked up first: a job that is placed leaves the
// index.
void PlaceWaiting(StepContext& step) {
  const Queue& waiting = step.state().replacing();
  const Job* next = nullptr;
  for (const Job* job = waiting.First(); job != nullptr; job = next) {
    next = waiting.After(*job);
    const std::vector<pb::Placement> gang =
        PlaceAgain(step.state(), PlacerFor(*job, step.options()), *job);
    if (!gang.empty()) StartNextGeneration(step, *job, gang);
  }
}

// As for a pause, but its place in the queue is kept. A gang that comes up has nothing to save.
void Preempt(StepContext& step, const Policy& policy, const Preemption& preemption) {
  const Job& job = *preemption.job;
  StopOrder order;
  order.target = pb::QUEUED;
  order.cause = PreemptedReason(job, preemption.winner, policy.name, preemption.moves);
  if (job.state == pb::RUNNING) {
    order.grace = absl::Seconds(job.scheduling().grace_period());
    order.checkpoint = true;
  }
  BecomeStopping(step, job, order);
}

// The whole pass is decided before any of it is done.
absl::Time PlacePlanned(StepContext& step, const Policy& policy) {
  const PassView view{step.state(), nullptr, nullptr, {}, FindPlacer(step.options().placement)};
  const PassPlan plan = policy.plan(view);
  for (const Preemption& preemption : plan.preemptions) Preempt(step, policy, preemption);
  for (const Start& start : plan.starts) {
    const int64_t slots_per_rank = start.job->resources().slots_per_rank();
    StartGangOf(step, *start.job, MakeGang(start.shares, slots_per_rank));
  }
  return plan.next_pass;
}

// The policy chooses, the placement looks, and neither changes anything: a job that is placed is
// taken out of the queue by its transition.
void PlaceQueue(StepContext& step, const Policy& policy, NeverFits& never_fits) {
  PassView view{step.state()};
  while (const Job* job = policy.next(view)) {
    view.last = job;
    if (never_fits.Contains(step.state(), *job)) {
      view.no_room.insert(step.state().queue().ShapeIdOf(*job));
      continue;
    }
    const std::vector<pb::Placement> gang =
        PlaceGang(step.state(), PlacerFor(*job, step.options()), *job);
    if (!gang.empty()) {
      StartGangOf(step, *job, gang);
      continue;
    }
    view.no_room.insert(step.state().queue().ShapeIdOf(*job));
    if (!never_fits.Learn(step.state(), *job) && view.blocked == nullptr) {
      view.blocked = job;
    }
  }
}

}  // namespace

void NeverFits::Refresh(const ClusterState& state) {
  // Also of jobs that are gone since: so many that the cache is better made anew.
  const size_t known = sequences_.size() + fit_sequences_.size();
  if (known > 2 * state.queue().size() + kStaleMax) Clear();
  if (capacity_version_ == state.capacity_version()) return;
  capacity_version_ = state.capacity_version();
  Clear();
}

void NeverFits::Clear() {
  sequences_.clear();
  fit_sequences_.clear();
}

bool NeverFits::Contains(const ClusterState& state, const Job& job) {
  Refresh(state);
  return sequences_.count(job.sequence) > 0;
}

// A blocked head of the queue comes here at every step, so both answers are remembered.
bool NeverFits::Learn(const ClusterState& state, const Job& job) {
  Refresh(state);
  if (fit_sequences_.count(job.sequence) > 0) return false;
  const bool fits = RanksThatCouldFit(state, job.resources()) >= job.resources().ranks_min();
  (fits ? fit_sequences_ : sequences_).insert(job.sequence);
  return !fits;
}

absl::Time PlaceJobs(StepContext& step, const Policy& policy, NeverFits& never_fits) {
  // Who waits longest goes first: gangs that broke in this step come after those that wait for
  // slots already.
  PlaceWaiting(step);
  for (const Job* job : step.emptied()) PlaceEmptied(step, *job);
  if (step.state().queue().size() == 0) return absl::InfiniteFuture();
  if (policy.plan != nullptr) return PlacePlanned(step, policy);
  PlaceQueue(step, policy, never_fits);
  return absl::InfiniteFuture();
}

const Placer& PlacerFor(const Job& job, const SchedulerOptions& options) {
  return PlacerNamed(job.resources().placement(), *FindPlacer(options.placement));
}

}  // namespace rm::scheduler
