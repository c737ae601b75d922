// Every command is made from the state after the step, not from the action alone: the action says
// what is to happen, the state says to whom it still applies. That makes repeated actions harmless
// (a rank that listens already is not started again) and late ones too (a generation that has
// passed is left alone).
#include "runtime/coordinator/executor.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

void SetRank(const std::string& job_id, int64_t generation, int32_t rank, pb::RankRef* ref) {
  ref->set_job_id(job_id);
  ref->set_generation(generation);
  ref->set_rank(rank);
}

}  // namespace

Executor::Executor(const scheduler::ClusterState& state, const AttachedWorkers& workers,
                   Preflights& preflights, const Folders& folders, AddEvent add_event)
    : state_(state),
      workers_(workers),
      preflights_(preflights),
      folders_(folders),
      add_event_(std::move(add_event)) {}

void Executor::Act(const pb::Action& action) {
  switch (action.action_case()) {
    case pb::Action::kStartGang: return Start(action.start_gang());
    case pb::Action::kStartGeneration: return StartTogether(action.start_generation());
    case pb::Action::kStopGang: return Stop(action.stop_gang());
    case pb::Action::kStopRank: return Stop(action.stop_rank());
    case pb::Action::kRunPreflight: return Run(action.run_preflight());
    case pb::Action::ACTION_NOT_SET: break;
  }
  RM_CHECK(false, "an action of a kind that is not known: ", action.ShortDebugString());
}

// All actions of a step are carried out after it. When a gang was stopped and started again within
// one step, the action for the old generation has nothing left to do.
const scheduler::Job* Executor::Present(const std::string& job_id, int64_t generation) const {
  const scheduler::Job* const job = state_.FindJob(job_id);
  return job != nullptr && job->generation == generation ? job : nullptr;
}

void Executor::Start(const pb::StartGang& gang) {
  const scheduler::Job* const job = Present(gang.job_id(), gang.generation());
  if (job == nullptr) return;
  for (const pb::Placement& placement : gang.placement()) {
    // Given again after a re-attach, the action names the whole gang; ranks that were heard of
    // live.
    const scheduler::GangRank& rank = job->gang.at(static_cast<size_t>(placement.rank()));
    const AttachedWorkers::Attached* const worker = workers_.Find(placement.worker_id());
    if (worker == nullptr || rank.phase != scheduler::RankPhase::kAssigned) continue;
    pb::WorkerCommand command;
    pb::StartRank& start_rank = *command.mutable_start_rank();
    *start_rank.mutable_slots() = placement.slots();
    pb::RankStart& start = *start_rank.mutable_start();
    SetRank(gang.job_id(), gang.generation(), placement.rank(), start.mutable_rank());
    start.set_world_size(gang.placement_size());
    start.set_local_rank(placement.local_rank());
    // Ranks on the same worker: what MPI and torchrun call the local world.
    start.set_local_world_size(static_cast<int32_t>(std::count_if(
        gang.placement().begin(), gang.placement().end(),
        [&](const pb::Placement& other) { return other.worker_id() == placement.worker_id(); })));
    *start.mutable_spec() = job->spec();
    start.set_checkpoint_folder(folders_.Checkpoints(job->spec(), job->id()));
    // A rank listens where its peers will dial it: no port is open on any other address.
    start.set_listen_host(worker->hello.advertise_host());
    start.set_advertise_host(worker->hello.advertise_host());
    // Which checkpoints count: a rank ignores those of a generation that is not in it.
    for (const scheduler::LineageEntry& entry : job->lineage) {
      pb::LineageEntry& sent = *start.add_lineage();
      sent.set_generation(entry.generation);
      sent.set_first_step(entry.first_step);
    }
    // So that this generation computes as those before it did, whatever its workers would choose.
    if (job->plan.threads() > 0) *start.mutable_plan() = job->plan;
    workers_.Send(placement.worker_id(), command);
  }
}

void Executor::StartTogether(const pb::StartGeneration& generation) {
  const scheduler::Job* const job = Present(generation.job_id(), generation.generation());
  if (job == nullptr) return;
  // A set, because the command is for a worker, which hands it to all its ranks of the job.
  std::set<std::string> waiting;  // workers with a rank that has not joined
  for (const scheduler::GangRank& rank : job->gang) {
    if (!rank.gone() && rank.phase != scheduler::RankPhase::kJoined) {
      waiting.insert(rank.where.worker_id());
    }
  }
  pb::WorkerCommand command;
  *command.mutable_start_generation() = generation;
  for (const std::string& worker_id : waiting) workers_.Send(worker_id, command);
}

void Executor::Stop(const pb::StopGang& gang) {
  const scheduler::Job* const job = Present(gang.job_id(), gang.generation());
  if (job == nullptr) return;
  for (const scheduler::GangRank& rank : job->gang) {
    if (rank.gone()) continue;
    pb::WorkerCommand command;
    pb::StopRankCommand& stop = *command.mutable_stop_rank();
    SetRank(gang.job_id(), gang.generation(), rank.where.rank(), stop.mutable_rank());
    stop.set_grace_seconds(gang.grace_seconds());
    stop.set_checkpoint(gang.checkpoint());
    workers_.Send(rank.where.worker_id(), command);
  }
}

void Executor::Stop(const pb::StopRank& rank) {
  // No grace and no checkpoint: this rank belongs to no job that we know, or to a past of it, or it
  // hangs. Its worker writes the reason into its log.
  pb::WorkerCommand command;
  *command.mutable_stop_rank()->mutable_rank() = rank.rank();
  command.mutable_stop_rank()->set_dump_stack(rank.dump_stack());
  *command.mutable_stop_rank()->mutable_reason() = rank.reason();
  workers_.Send(rank.worker_id(), command);
}

void Executor::Run(const pb::RunPreflight& preflight) {
  const scheduler::Job* const job = state_.FindJob(preflight.job_id());
  // The verdict may have come within the step that asked for it again.
  if (job == nullptr || !job->preflight_pending) return;
  pb::PreflightRequest request;
  request.set_job_id(job->id());
  *request.mutable_spec() = job->spec();
  *request.mutable_source_positions() = job->submission.source_positions();
  request.set_checkpoint_folder(folders_.Checkpoints(job->spec(), job->id()));
  preflights_.Ask(request, [this, id = job->id()](const std::vector<std::string>& errors) {
    pb::Event event;
    event.mutable_preflight()->set_job_id(id);
    event.mutable_preflight()->mutable_errors()->Add(errors.begin(), errors.end());
    add_event_(event);
  });
}

}  // namespace rm::coordinator
