// The state of a job lies in three places, and a view joins them: the scheduler's (what was
// decided), the live reports (what its ranks say), and the folders (where its files are).
#include "runtime/coordinator/job_view.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/file_system.h"
#include "base/status.h"
#include "runtime/coordinator/request_limits.h"
#include "scheduler/state/job_state.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

constexpr size_t kCandidatesShown = 5;

// The scheduler says "never" by an infinite time, the API by 0.
int64_t Nanos(absl::Time time) {
  return time == absl::InfinitePast() || time == absl::InfiniteFuture() ? 0
                                                                        : absl::ToUnixNanos(time);
}

void ViewProgress(const scheduler::Job& job, const LiveJob* live, pb::Job* view) {
  for (const auto& [name, value] : job.metrics) (*view->mutable_metrics())[name] = value;
  if (live != nullptr) {
    *view->mutable_progress() = live->progress;
    for (const auto& [name, value] : live->metrics) (*view->mutable_metrics())[name] = value;
  }
  // After a restart of the coordinator nothing is known of a gang that trains until it reports: its
  // last checkpoint may lie behind what was shown before, and a step counter never goes back. A
  // report may lie behind a checkpoint that was committed after it.
  const bool unheard = live == nullptr || live->progress.step() == 0;
  if (unheard && scheduler::MayHoldSlots(job.state) && !job.training_done) return;
  const int64_t known = job.training_done ? job.final_step : job.last_checkpoint_step;
  if (known > view->progress().step()) view->mutable_progress()->set_step(known);
}

absl::Status Ambiguous(const std::string& prefix, const std::vector<std::string>& candidates) {
  std::string shown = absl::StrJoin(candidates.begin(),
                                    candidates.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                             candidates.size(), kCandidatesShown)),
                                    ", ");
  if (candidates.size() > kCandidatesShown) absl::StrAppend(&shown, ", …");
  return absl::InvalidArgumentError(
      absl::StrCat("'", prefix, "' may be any of ", candidates.size(), " jobs: ", shown));
}

}  // namespace

std::string Folders::Checkpoints(const pb::JobSpec& spec, const std::string& job_id) const {
  const std::string& path = spec.checkpoint().path();
  return base::JoinPath(path.empty() ? storage : path, job_id);
}

std::string Folders::Logs(const std::string& job_id) const {
  return base::JoinPath(base::JoinPath(state, "logs"), job_id);
}

pb::Job ViewJob(const scheduler::Job& job, const LiveJob* live, const Folders& folders) {
  pb::Job view;
  view.set_job_id(job.id());
  *view.mutable_spec() = job.spec();
  view.set_state(job.state);
  *view.mutable_reason() = job.reason;
  view.set_user(job.submission.user());
  view.set_submitted_ns(Nanos(job.submitted));
  view.set_started_ns(Nanos(job.first_running));
  view.set_ended_ns(Nanos(job.ended));
  view.set_generation(job.generation);
  view.set_restarts(job.restarts);
  // The scheduler remembers the last gang of an ended job; to a user it is nowhere any more.
  if (scheduler::MayHoldSlots(job.state)) {
    for (const scheduler::GangRank& rank : job.gang) *view.add_placement() = rank.where;
  }
  ViewProgress(job, live, &view);
  view.set_checkpoint_folder(folders.Checkpoints(job.spec(), job.id()));
  view.set_log_folder(folders.Logs(job.id()));
  view.set_last_checkpoint(job.last_checkpoint_path);
  // -1 inside means "none"; outside an empty path says so.
  view.set_last_checkpoint_step(std::max<int64_t>(0, job.last_checkpoint_step));
  view.set_weights_sha256(job.weights_sha256);
  if (job.plan.threads() > 0) *view.mutable_plan() = job.plan;
  return view;
}

pb::Node ViewNode(const scheduler::Worker& worker) {
  pb::Node node;
  node.set_worker_id(worker.id);
  node.set_host(worker.host);
  node.set_state(worker.state);
  node.set_slots(static_cast<int32_t>(worker.slots.size()));
  node.set_slots_used(worker.used_slots());
  node.mutable_labels()->insert(worker.labels.begin(), worker.labels.end());
  node.set_version(worker.version);
  const scheduler::Job* holder = nullptr;
  int32_t rank = -1;
  for (const scheduler::Slot& slot : worker.slots) {  // slots of one rank stand side by side
    if (slot.free() || (slot.holder == holder && slot.rank == rank)) continue;
    holder = slot.holder;
    rank = slot.rank;
    pb::RankRef& ref = *node.add_ranks();
    ref.set_job_id(holder->id());
    ref.set_generation(holder->generation);
    ref.set_rank(rank);
  }
  *node.mutable_reason() = worker.reason;
  node.set_since_ns(Nanos(worker.since));
  return node;
}

void CountCluster(const scheduler::ClusterState& state, pb::StatusReply* reply) {
  int32_t workers = 0;
  int32_t slots = 0;
  int32_t used = 0;
  for (const auto& [id, worker] : state.workers()) {
    // Absent slots are neither free nor used: they are not counted until their worker is back.
    if (worker.state != pb::READY) continue;
    ++workers;
    slots += static_cast<int32_t>(worker.slots.size());
    used += worker.used_slots();
  }
  reply->set_workers(workers);
  reply->set_slots(slots);
  reply->set_slots_used(used);
  for (const auto& [id, job] : state.jobs()) {
    ++(*reply->mutable_jobs())[std::string(scheduler::StateName(job.state))];
  }
}

absl::StatusOr<const scheduler::Job*> FindJob(const scheduler::ClusterState& state,
                                              const std::string& prefix) {
  if (prefix.empty()) return absl::InvalidArgumentError("no job id is given");
  RM_RETURN_IF_ERROR(CheckName("the job id", prefix));
  // An id may be the beginning of another one ("a-1", "a-1-b…"): the whole id wins.
  const scheduler::Job* const exact = state.FindJob(prefix);
  if (exact != nullptr) return exact;
  std::vector<std::string> candidates;
  const auto& jobs = state.jobs();
  // Ids are ordered, so all that begin with the prefix stand side by side.
  for (auto job = jobs.lower_bound(prefix);
       job != jobs.end() && absl::StartsWith(job->first, prefix); ++job) {
    candidates.push_back(job->first);
  }
  if (candidates.empty()) return absl::NotFoundError(absl::StrCat("no job '", prefix, "'"));
  if (candidates.size() > 1) return Ambiguous(prefix, candidates);
  return state.FindJob(candidates.front());
}

}  // namespace rm::coordinator
