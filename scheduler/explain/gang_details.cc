#include "scheduler/explain/gang_details.h"

#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/units.h"
#include "scheduler/core/reasons.h"
#include "scheduler/explain/ago.h"
#include "scheduler/explain/idle.h"
#include "scheduler/explain/room.h"
#include "scheduler/state/job_state.h"
#include "scheduler/state/timer.h"
#include "scheduler/state/transition_check.h"

namespace rm::scheduler {
namespace {

// The others are counted.
constexpr size_t kRanksNamed = 4;

// The odd ones out, by name: "rank 1 of job a on host h2 (worker w2), 3 more" of the ranks for which
// `missing` holds; empty: none.
template <typename Missing>
std::string NameRanks(const ClusterState& state, const Job& job, const Missing& missing) {
  std::vector<std::string> names;
  size_t count = 0;
  for (const GangRank& rank : job.gang) {
    if (!missing(rank)) continue;
    if (++count <= kRanksNamed) names.push_back(RankName(state, job, rank.where.rank()));
  }
  if (count > kRanksNamed) names.push_back(absl::StrCat(count - kRanksNamed, " more"));
  return absl::StrJoin(names, ", ");
}

// Who is there, so that who is not stands out.
void AddLiving(const ClusterState& state, const Job& job, pb::Explanation& out) {
  if (job.living_ranks == 0) return;
  out.add_details(absl::StrCat(
      "Not left yet: ", NameRanks(state, job, [](const GangRank& rank) { return !rank.gone(); }),
      "."));
}

// Who has not listened holds up those who have not joined, so only the first kind is named.
void ExplainComingUp(const ClusterState& state, const Job& job, pb::Explanation& out) {
  const std::string unheard = NameRanks(
      state, job, [](const GangRank& rank) { return rank.phase == RankPhase::kAssigned; });
  const std::string apart = NameRanks(
      state, job, [](const GangRank& rank) { return rank.phase == RankPhase::kListening; });
  if (!unheard.empty()) {
    out.add_details(absl::StrCat("Has not said yet where it listens: ", unheard, "."));
  } else if (!apart.empty()) {
    out.add_details(absl::StrCat("Has not joined the others yet: ", apart, "."));
  }
}

// Its own slots are not among the holders: nobody has to end for those.
void ExplainWaiting(const ClusterState& state, const Job& job, absl::Time now,
                    pb::Explanation& out) {
  int64_t lost = job.resources().ranks_min();
  std::set<const Worker*> idle;
  for (const GangRank& rank : job.gang) {
    const Worker* worker = state.FindWorker(rank.where.worker_id());
    const bool held = worker != nullptr && worker->storage_problem.empty() &&
                      HoldsSlot(*worker, rank.where.slots(0), job, rank.where.rank());
    lost -= held ? 1 : 0;
    const bool news = held && !worker->Usable() && idle.insert(worker).second;
    if (!news) continue;
    out.add_details(absl::StrCat("It keeps slots on worker ", worker->id, ", which ",
                                 IdleText(state, *worker, now), "."));
  }
  const SlotCount slots = CountSlots(state, job.resources());
  if (lost > 0) {
    out.add_details(absl::StrCat("It lacks slots for ", CountText(lost, "rank"), " of ",
                                 CountText(job.resources().slots_per_rank(), "slot"), " each; ",
                                 slots.free, " of ", slots.total, " slots are free."));
  }
  out.add_details(absl::StrCat("Without them it goes back to the queue ",
                               InText(now, NextTimer(job, state.windows()).at), "; ",
                               CheckpointText(job), "."));
  for (pb::Holder& holder : Holders(state, job.resources())) {
    if (holder.job_id() != job.id()) *out.add_holders() = std::move(holder);
  }
}

// Workers of the gang that nothing is heard of: since the coordinator started, or of late.
void AddUnheard(const ClusterState& state, const Job& job, absl::Time now, pb::Explanation& out) {
  std::set<std::string> seen;
  for (const GangRank& rank : job.gang) {
    const Worker* worker = state.FindWorker(rank.where.worker_id());
    const bool unheard = worker != nullptr && !rank.gone() &&
                         (worker->state == pb::ABSENT || worker->state == pb::SUSPECT);
    if (!unheard || !seen.insert(worker->id).second) continue;
    if (worker->state == pb::SUSPECT) {
      out.add_details(absl::StrCat("Worker ", worker->id, " fell silent ",
                                   AgoText(now, worker->since),
                                   "; its ranks count as alive until it is lost."));
      continue;
    }
    out.add_details(absl::StrCat("Worker ", worker->id,
                                 " is absent; its ranks count as alive, and ",
                                 "as lost when it is not back ",
                                 InText(now, WorkerDeadline(*worker, state.windows())), "."));
  }
}

// Since when, as which generation, and what a loss would cost now.
void ExplainRunning(const ClusterState& state, const Job& job, absl::Time now,
                    pb::Explanation& out) {
  out.add_details(absl::StrCat("It has run for ", base::FormatDuration(now - job.since),
                               " as generation ", job.generation, "; ", CheckpointText(job), "."));
  if (!job.training_done) return;
  out.add_details(
      absl::StrCat("It is trained to its end, ", CountText(job.final_step, "step"), "."));
  AddLiving(state, job, out);
}

// Which ranks are still here, and when they will be killed.
void ExplainStopping(const ClusterState& state, const Job& job, absl::Time now,
                     pb::Explanation& out) {
  out.add_details(
      absl::StrCat("It becomes ", StateName(job.stop_target), " when all its ranks have left."));
  AddLiving(state, job, out);
  if (job.stop_deadline != absl::InfiniteFuture()) {
    out.add_details(absl::StrCat("What is left is killed ", InText(now, job.stop_deadline), "."));
  }
}

// One sentence for each phase of making a generation.
void ExplainPhase(const ClusterState& state, const Job& job, absl::Time now, pb::Explanation& out) {
  switch (job.gang_phase) {
    case pb::COMING_UP: return ExplainComingUp(state, job, out);
    case pb::CAUSE_UNKNOWN:
      out.add_details(
          absl::StrCat("The end of the peer itself is awaited; what is known then is the cause ",
                       InText(now, NextTimer(job, state.windows()).at), "."));
      return AddLiving(state, job, out);
    case pb::LEAVING: return AddLiving(state, job, out);
    case pb::WAITING_FOR_SLOTS: return ExplainWaiting(state, job, now, out);
    default: return;
  }
}

}  // namespace

// By state; every state of a gang has its sentence.
void ExplainGang(const ClusterState& state, const Job& job, absl::Time now, pb::Explanation& out) {
  if (job.state == pb::RUNNING) {
    ExplainRunning(state, job, now, out);
  } else if (job.state == pb::STOPPING) {
    ExplainStopping(state, job, now, out);
  } else {
    ExplainPhase(state, job, now, out);
  }
  AddUnheard(state, job, now, out);
}

}  // namespace rm::scheduler
