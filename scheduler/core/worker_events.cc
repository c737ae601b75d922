#include "scheduler/core/worker_events.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/units.h"
#include "scheduler/core/lifecycle.h"
#include "scheduler/core/loss.h"
#include "scheduler/core/reasons.h"
#include "scheduler/core/refusals.h"
#include "scheduler/state/attach.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

// Jobs in order of submission, each with the ranks of it that are concerned.
struct BySequence {
  bool operator()(const Job* a, const Job* b) const { return a->sequence < b->sequence; }
};
using RanksByJob = std::map<const Job*, std::vector<int32_t>, BySequence>;

// Ranks that are gone hold slots too, until their job lets go of them; nothing happens to them any
// more.
RanksByJob LivingRanksOn(const Worker& worker) {
  RanksByJob living;
  for (const auto& [job, rank] : HeldRanks(worker)) {
    if (!job->gang[static_cast<size_t>(rank)].gone()) living[job].push_back(rank);
  }
  return living;
}

RanksByJob MissingByJob(const Worker* worker, const pb::WorkerAttached& event) {
  RanksByJob missing;
  if (worker == nullptr) return missing;
  for (const auto& [job, rank] : MissingRanks(*worker, event)) missing[job].push_back(rank);
  return missing;
}

pb::WorkerTransition To(const Worker& worker, pb::WorkerState to, const pb::Reason& reason) {
  pb::WorkerTransition transition;
  transition.set_worker_id(worker.id);
  transition.set_from(worker.state);
  transition.set_to(to);
  *transition.mutable_reason() = reason;
  return transition;
}

pb::Reason AttachReason(const Worker* worker, const pb::WorkerAttached& event) {
  std::string what =
      absl::StrCat("worker ", event.worker_id(), " on host ", event.host(), " attached ",
                   worker == nullptr ? "" : "again ", "with ", CountText(event.slots(), "slot"));
  if (worker != nullptr) {
    absl::StrAppend(&what, " and ", CountText(event.running_size(), "running rank"));
  }
  if (!event.storage_problem().empty()) {
    return MakeReason("StorageNotShared",
                      absl::StrCat(what, "; it gets no ranks, because it does not see the ",
                                   "cluster's storage: ", event.storage_problem()));
  }
  return MakeReason(worker == nullptr ? "Attached" : "ReAttached", std::move(what));
}

// From any state: new, absent, lost, or READY or SUSPECT when only its stream was broken.
void BecomeReady(StepContext& step, const pb::WorkerAttached& event) {
  const Worker* worker = step.state().FindWorker(event.worker_id());
  pb::WorkerTransition transition;
  transition.set_worker_id(event.worker_id());
  transition.set_from(worker == nullptr ? pb::WORKER_STATE_UNSPECIFIED : worker->state);
  transition.set_to(pb::READY);
  *transition.mutable_reason() = AttachReason(worker, event);
  transition.set_host(event.host());
  transition.set_slots(event.slots());
  transition.set_version(event.version());
  *transition.mutable_labels() = event.labels();
  transition.set_storage_problem(event.storage_problem());
  step.Move(std::move(transition));
}

// READY → READY or SUSPECT → READY with all that is known of the worker as it was.
pb::WorkerTransition AsItWas(const Worker& worker, const pb::Reason& reason) {
  pb::WorkerTransition transition = To(worker, pb::READY, reason);
  transition.set_host(worker.host);
  transition.set_slots(static_cast<int32_t>(worker.slots.size()));
  transition.set_version(worker.version);
  transition.mutable_labels()->insert(worker.labels.begin(), worker.labels.end());
  transition.set_storage_problem(worker.storage_problem);
  return transition;
}

void LoseRanks(StepContext& step, const Worker& worker, const RanksByJob& lost,
               absl::string_view code, absl::string_view how) {
  for (const auto& [job, ranks] : lost) {
    LoseRank(step, *job, GoneOnWorkerReason(code, worker, *job, ranks, how));
  }
}

// What nobody knows must not train on: it would write checkpoints and hold slots that we give to
// others.
void StopUnknown(StepContext& step, const Worker& worker, const pb::WorkerAttached& event) {
  for (const pb::RankRef& running : event.running()) {
    const Refused unknown = RefuseRunning(step.state(), worker, running);
    if (unknown) TellStopRank(step, worker.id, running, *unknown, false);
  }
}

// The rest of the grace of a job in STOPPING; a gang that is leaving has none.
absl::Duration GraceLeft(const StepContext& step, const Job& job) {
  if (job.stop_deadline == absl::InfiniteFuture()) return absl::ZeroDuration();
  return std::max(job.stop_deadline - step.now(), absl::ZeroDuration());
}

// What the worker may have missed while it was away.
void TellAgain(StepContext& step, const Job& job, const std::vector<int32_t>& ranks) {
  if (job.gang_phase == pb::COMING_UP) {
    for (const int32_t rank : ranks) {
      const RankPhase phase = job.gang[static_cast<size_t>(rank)].phase;
      if (phase == RankPhase::kAssigned) return TellStartGang(step, job);
    }
    if (job.heard_ranks == job.world_size()) TellStartGeneration(step, job);
  } else if (job.state == pb::STOPPING || job.gang_phase == pb::LEAVING) {
    const absl::Duration grace = GraceLeft(step, job);
    const bool checkpoint = grace > absl::ZeroDuration() && job.stop_target != pb::SUCCEEDED;
    TellStopGang(step, job, grace, checkpoint);
  }
}

}  // namespace

void Take(StepContext& step, const pb::WorkerAttached& event) {
  // What is missing is looked up before the event is accepted: with its facts those ranks are gone.
  const Worker* known = step.state().FindWorker(event.worker_id());
  const RanksByJob missing = MissingByJob(known, event);
  const bool resized = known != nullptr && known->state != pb::LOST &&
                       static_cast<int32_t>(known->slots.size()) != event.slots();
  const RanksByJob resized_away = resized ? LivingRanksOn(*known) : RanksByJob();
  step.Accept();
  if (resized) {
    const std::string sentence =
        absl::StrCat("worker ", known->id, " came back with ", event.slots(), " slots instead of ",
                     known->slots.size());
    step.Move(To(*known, pb::LOST, MakeReason("SlotsChanged", sentence)));
  }
  BecomeReady(step, event);
  const Worker& worker = *step.state().FindWorker(event.worker_id());
  LoseRanks(step, worker, resized ? resized_away : missing, "RankLost",
            resized ? "came back with other slots and lost" : "came back without");
  StopUnknown(step, worker, event);
  for (const auto& [job, ranks] : LivingRanksOn(worker)) TellAgain(step, *job, ranks);
}

// All workers first and all jobs after: a job on two of them must not be told to go on with the one
// that is lost in the same instant.
void LoseWorkers(StepContext& step, const std::vector<const Worker*>& workers,
                 absl::string_view code, absl::string_view what) {
  std::vector<RanksByJob> lost;
  for (const Worker* worker : workers) lost.push_back(LivingRanksOn(*worker));
  for (const Worker* worker : workers) {
    const std::string sentence =
        absl::StrCat("worker ", worker->id, " on host ", worker->host, " ", what);
    step.Move(To(*worker, pb::LOST, MakeReason(code, sentence)));
  }
  const std::string with_it = absl::StrCat(what, ", and with it");
  for (size_t i = 0; i < workers.size(); ++i)
    LoseRanks(step, *workers[i], lost[i], "WorkerLost", with_it);
}

void Take(StepContext& step, const pb::WorkerLost& event) {
  step.Accept();
  const std::string& why = event.cause().sentence();
  LoseWorkers(step, {step.state().FindWorker(event.worker_id())}, "WorkerLost",
              why.empty() ? "was lost" : absl::StrCat("was lost (", why, ")"));
}

// Its jobs are not told: they run, as far as anybody knows, and a transition of each of them for
// every hiccup of a network would hide what matters. Explanations name it.
void Take(StepContext& step, const pb::WorkerSilent& event) {
  step.Accept();
  const Worker& worker = *step.state().FindWorker(event.worker_id());
  const std::string& why = event.cause().sentence();
  const std::string sentence =
      absl::StrCat("worker ", worker.id, " on host ", worker.host, " is silent",
                   why.empty() ? "" : absl::StrCat(" (", why, ")"), "; it keeps ",
                   CountText(worker.used_slots(), "slot"), " in use and gets no new ranks");
  step.Move(To(worker, pb::SUSPECT, MakeReason("WorkerSilent", sentence)));
}

// The placement pass of this step gives its free slots to whoever waited for them.
void Take(StepContext& step, const pb::WorkerHeard& event) {
  step.Accept();
  const Worker& worker = *step.state().FindWorker(event.worker_id());
  const std::string sentence =
      absl::StrCat("worker ", worker.id, " on host ", worker.host, " is heard again after ",
                   base::FormatDuration(step.now() - worker.since));
  step.Move(AsItWas(worker, MakeReason("WorkerHeard", sentence)));
}

void Take(StepContext& step, const pb::CoordinatorStarted& /*event*/) {
  step.Accept();
  // Their ranks run on: a coordinator that is away stops nothing. Those that were absent before
  // have had no chance to come back, and get their whole time once more.
  for (const auto& [id, worker] : step.state().workers()) {
    if (worker.state == pb::LOST) continue;
    step.Move(To(worker, pb::ABSENT,
                 MakeReason("CoordinatorStarted",
                            absl::StrCat("worker ", id, " on host ", worker.host,
                                         " has not come back since the coordinator started"))));
  }
  // Who was asked before may have answered nobody.
  for (const auto& [id, job] : step.state().jobs()) {
    const bool waits = job.preflight_pending && !IsEnded(job.state);
    if (waits) TellRunPreflight(step, job);
  }
}

void Take(StepContext& step, const pb::Tick& /*event*/) { step.Accept(); }

}  // namespace rm::scheduler
