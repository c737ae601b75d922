#include "runtime/trainer/rank_observer.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/json.h"
#include "base/log.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;

// The metrics file is opened with the first line, so that a job that never gets there leaves none.
RankObserver::RankObserver(RankLink& link, base::FileSystem& files, const pb::RankStart& start,
                           ActivityBoard& board)
    : link_(link),
      files_(files),
      rank_(start.rank().rank()),
      generation_(start.rank().generation()),
      metrics_path_(base::JoinPath(start.checkpoint_folder(), "metrics.jsonl")),
      board_(board) {}

// Before every step: two stores, and nothing else.
void RankObserver::OnDoing(Doing doing, int64_t step) {
  board_.step = step;
  board_.doing = doing;
}

// Every rank reports, for its worker watches its liveness; only rank 0 logs and keeps the curve.
void RankObserver::OnProgress(const pb::Progress& progress) {
  pb::RankMessage message;
  *message.mutable_progress() = progress;
  link_.Send(message).IgnoreError();
  AppendMetrics(progress.step(), {{"epoch", progress.epoch()},
                                  {"train/loss", progress.loss()},
                                  {"train/lr", progress.learning_rate()},
                                  {"samples_per_second", progress.samples_per_second()}});
  if (rank_ == 0) {
    base::LogInfo(absl::StrFormat("step %d/%d epoch %.2f loss %.5f %.0f samples/s", progress.step(),
                                  progress.total_steps(), progress.epoch(), progress.loss(),
                                  progress.samples_per_second()));
  }
}

// The same on every rank: rank 0 speaks for all.
void RankObserver::OnEvaluated(int64_t step, const std::map<std::string, double>& metrics) {
  if (rank_ != 0) return;
  pb::RankMessage message;
  message.mutable_evaluated()->set_step(step);
  message.mutable_evaluated()->mutable_metrics()->insert(metrics.begin(), metrics.end());
  link_.Send(message).IgnoreError();
  AppendMetrics(step, metrics);
  for (const auto& [name, value] : metrics) {
    base::LogInfo(absl::StrFormat("step %d %s %.5f", step, name, value));
  }
}

// A commit is told with its path; what a failed save means is the trainer's to say.
void RankObserver::OnSaved(const SaveOutcome& outcome) {
  if (rank_ != 0) return;
  for (const std::string& warning : outcome.warnings) base::LogWarning(warning);
  if (!outcome.status.ok()) return;  // a notice tells it, or the failure of the job
  base::LogInfo("checkpoint ", outcome.path);
  pb::RankMessage message;
  message.mutable_committed()->set_step(outcome.step);
  message.mutable_committed()->set_path(outcome.path);
  message.mutable_committed()->mutable_metrics()->insert(outcome.metrics.begin(),
                                                         outcome.metrics.end());
  link_.Send(message).IgnoreError();
}

// In the log for whoever reads it there, and up to the job's history.
void RankObserver::OnNotice(const pb::Reason& notice, int64_t step) {
  if (rank_ != 0) return;
  base::LogWarning(notice.code(), ": ", notice.sentence());
  pb::RankMessage message;
  *message.mutable_notice()->mutable_reason() = notice;
  message.mutable_notice()->set_step(step);
  link_.Send(message).IgnoreError();
}

// A disk that is full costs lines of this file, never a step.
void RankObserver::AppendMetrics(int64_t step, const std::map<std::string, double>& metrics) {
  if (rank_ != 0) return;
  if (metrics_file_ == nullptr) {
    if (!files_.MakeFolders(base::ParentPath(metrics_path_)).ok()) return;
    auto file = files_.OpenForAppend(metrics_path_);
    if (!file.ok()) return;
    metrics_file_ = *std::move(file);
  }
  base::Json line;
  line.Set("ts", absl::FormatTime(absl::RFC3339_full, absl::Now(), absl::UTCTimeZone()));
  line.Set("step", step).Set("generation", generation_);
  for (const auto& [name, value] : metrics) line.Set(name, value);
  metrics_file_->Append(line.Dump() + "\n").IgnoreError();
}

}  // namespace rm::trainer
