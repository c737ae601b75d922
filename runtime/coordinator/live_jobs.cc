// Reports come from many ranks over several streams, in order for each rank and in no order between
// them. The generation is the fence: the first report of a newer one ends the older one here, as it
// has ended in the scheduler.
#include "runtime/coordinator/live_jobs.h"

#include <algorithm>

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// The newest value of a name wins; names that are not repeated stay.
void Merge(const google::protobuf::Map<std::string, double>& from,
           std::map<std::string, double>* to) {
  for (const auto& [name, value] : from) (*to)[name] = value;
}

}  // namespace

void LiveJobs::OnReport(const pb::RankRef& rank, const pb::RankMessage& message, absl::Time now) {
  LiveJob& job = jobs_[rank.job_id()];
  if (rank.generation() < job.generation) return;
  if (rank.generation() > job.generation) {
    // What the old ranks said last must not be taken for the new ones' words.
    job.generation = rank.generation();
    job.ranks.clear();
  }
  switch (message.message_case()) {
    case pb::RankMessage::kJoined: OnJoined(job, rank.rank(), message.joined().first_step()); break;
    case pb::RankMessage::kProgress: OnProgress(job, rank.rank(), message.progress(), now); break;
    case pb::RankMessage::kEvaluated: Merge(message.evaluated().metrics(), &job.metrics); break;
    case pb::RankMessage::kCommitted: Merge(message.committed().metrics(), &job.metrics); break;
    case pb::RankMessage::kFinished: Merge(message.finished().metrics(), &job.metrics); break;
    case pb::RankMessage::kFailed: job.ranks[rank.rank()].failed = message.failed(); break;
    case pb::RankMessage::kActivity:
    case pb::RankMessage::kNotice:
    case pb::RankMessage::kListening:
    case pb::RankMessage::MESSAGE_NOT_SET: return;
  }
  ++job.changes;
}

void LiveJobs::OnProgress(LiveJob& job, int32_t rank, const pb::Progress& progress,
                          absl::Time now) {
  // Each rank's own for the metrics, the highest step for the count of what a loss costs, and rank
  // 0's for people: its loss is that of the whole batch.
  job.ranks[rank].progress = progress;
  job.last_step = std::max(job.last_step, progress.step());
  if (rank != 0) return;
  job.progress.set_step(progress.step());
  job.progress.set_total_steps(progress.total_steps());
  job.progress.set_epoch(progress.epoch());
  job.progress.set_loss(progress.loss());
  job.progress.set_samples_per_second(progress.samples_per_second());
  job.progress.set_learning_rate(progress.learning_rate());
  job.progress.set_updated_ns(absl::ToUnixNanos(now));
}

void LiveJobs::OnJoined(LiveJob& job, int32_t rank, int64_t first_step) {
  if (rank != 0) return;  // all ranks join at the same step
  // Applied before and not in the checkpoint that was loaded: these steps are done again.
  steps_lost_ += std::max<int64_t>(0, job.last_step - first_step);
  job.last_step = first_step;
  job.progress.set_step(first_step);
}

const LiveJob* LiveJobs::Find(const std::string& job_id) const {
  const auto job = jobs_.find(job_id);
  return job == jobs_.end() ? nullptr : &job->second;
}

const LiveRank* LiveJobs::Find(const pb::RankRef& rank) const {
  const LiveJob* const job = Find(rank.job_id());
  if (job == nullptr || job->generation != rank.generation()) return nullptr;
  const auto live = job->ranks.find(rank.rank());
  return live == job->ranks.end() ? nullptr : &live->second;
}

void LiveJobs::OnEnded(const std::string& job_id) {
  const auto job = jobs_.find(job_id);
  if (job == jobs_.end()) return;
  job->second.ranks.clear();
  ++job->second.changes;
}

}  // namespace rm::coordinator
