// The step loop. Read Run first, then OneStep and AfterStep; how a trainer is set up is in trainer_setup.cc.

#include "runtime/trainer/trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/version.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

// At most this often a rank reports its progress; the last step always is.
constexpr absl::Duration kReportInterval = absl::Milliseconds(200);

// Without the fingerprint, which stands beside it.
base::Json PlanState(const pb::Plan& plan) {
  base::Json state;
  state.Set("threads", int64_t{plan.threads()})
      .Set("bucket_bytes", plan.bucket_bytes())
      .Set("wire_dtype", plan.wire_dtype());
  return state;
}

// Why a save that could not be written ends the job.
absl::Status SaveFailure(const SaveOutcome& outcome) {
  return base::Annotate(outcome.status,
                        absl::StrCat("CheckpointFailed: the checkpoint of step ", outcome.step));
}

}  // namespace

// The loop itself. A stop that wants a checkpoint, and the regular end, both fall through to the final save; a stop
// without one leaves the folder as it is.
absl::StatusOr<TrainResult> Trainer::Run() {
  bool stopped = false;
  bool final_save = true;
  TellOfModel();
  TellOfBadRecords();
  while (step_ < total_steps_ && !stopped) {
    // Everything below this line happens on every rank alike: it depends only on the outcome, which is a sum over the ranks.
    RM_ASSIGN_OR_RETURN(const StepOutcome outcome, OneStep());
    ++step_;
    NoteBatch(outcome);
    Report();
    stopped = outcome.stop > 0 && step_ < total_steps_;
    final_save = !stopped || outcome.stop_checkpoint > 0;
    if (final_save) RM_RETURN_IF_ERROR(AfterStep(outcome));
  }
  if (!stopped && evaluator_ != nullptr && evaluated_at_ != step_) RM_RETURN_IF_ERROR(Evaluate());
  if (final_save) RM_RETURN_IF_ERROR(FinalSave());
  return TrainResult{step_, stopped, metrics_, replica_->WeightsSha256()};
}

// Casts this rank's votes and takes the step, which reads this rank's share of the batch.
absl::StatusOr<StepOutcome> Trainer::OneStep() {
  observer_.OnDoing(first_step_ ? Doing::kFirstStep : Doing::kStep, step_);
  first_step_ = false;
  const absl::Time start = absl::Now();
  stepper_->SetGlobalWeight(static_cast<double>(reader_->GlobalWeight(step_)));
  input_time_ += absl::Now() - start;
  Votes votes;
  votes.stop = stop_.stop;
  votes.stop_checkpoint = stop_.stop && stop_.checkpoint;
  votes.saving = saver_->active();
  votes.shard_written = saver_->shard_written();
  const double save_seconds = start_.spec().checkpoint().every().seconds();
  votes.save_due = save_seconds > 0 && start - last_save_time_ >= absl::Seconds(save_seconds);
  return stepper_->Run(learning_rate_(step_), votes);
}

// What may happen between two steps, in an order that is the same on every rank: a save that all have written is
// committed, its outcome noted, then evaluation, then the next save.
absl::Status Trainer::AfterStep(const StepOutcome& outcome) {
  const absl::Time start = absl::Now();
  if (outcome.shard_written == communicator_.world_size()) {
    observer_.OnDoing(Doing::kCheckpoint, step_);
    RM_RETURN_IF_ERROR(saver_->Collect());
  }
  if (auto saved = saver_->TakeOutcome()) RM_RETURN_IF_ERROR(NoteSave(*saved));
  if (EvaluationDue()) RM_RETURN_IF_ERROR(Evaluate());
  // A save that falls due while one is under way on any rank is left out: all saw the same votes, so all begin together.
  if (SaveDue(outcome) && outcome.saving == 0) RM_RETURN_IF_ERROR(BeginSave());
  checkpoint_time_ += absl::Now() - start;
  return absl::OkStatus();
}

// The newest metrics go into the next checkpoint's manifest as well.
absl::Status Trainer::Evaluate() {
  observer_.OnDoing(Doing::kEvaluation, step_);
  RM_ASSIGN_OR_RETURN(const auto metrics, evaluator_->Run());
  for (const auto& [name, value] : metrics) metrics_[name] = value;
  evaluated_at_ = step_;
  observer_.OnEvaluated(step_, metrics);
  return absl::OkStatus();
}

// Copies the state; the writing goes on beside the training.
absl::Status Trainer::BeginSave() {
  observer_.OnDoing(Doing::kCheckpoint, step_);
  last_save_time_ = absl::Now();
  saved_at_ = step_;
  return saver_->Begin(step_, TrainerState(), metrics_);
}

// A failed save is only a warning, unless the job wants it otherwise: the previous checkpoint is still there.
absl::Status Trainer::NoteSave(const SaveOutcome& outcome) {
  observer_.OnSaved(outcome);
  if (outcome.status.ok()) return absl::OkStatus();
  if (start_.spec().checkpoint().on_error() == "fail") return SaveFailure(outcome);
  pb::Reason notice;
  notice.set_code("CheckpointFailed");
  notice.set_sentence(absl::StrCat("the checkpoint of step ", outcome.step, " was not written: ",
                                   outcome.status.message(),
                                   "; the one before it stays, training goes on"));
  observer_.OnNotice(notice, step_);
  return absl::OkStatus();
}

// The checkpoint a job ends with: here, and only here, the loop waits for the disk. A final checkpoint that cannot be
// written fails the job, whatever checkpoint.on_error says: without it the training would be lost.
absl::Status Trainer::FinalSave() {
  observer_.OnDoing(Doing::kCheckpoint, step_);
  double saving = saver_->active() ? 1 : 0;  // rank 0 may still commit what others are done with
  RM_RETURN_IF_ERROR(communicator_.SumInPlace(absl::MakeSpan(&saving, 1)));
  if (saving > 0) {
    RM_ASSIGN_OR_RETURN(const SaveOutcome pending, saver_->Finish());
    RM_RETURN_IF_ERROR(NoteSave(pending));
    if (!pending.status.ok() && pending.step == step_) saved_at_ = -1;
  }
  if (saved_at_ == step_) return absl::OkStatus();
  RM_RETURN_IF_ERROR(BeginSave());
  RM_ASSIGN_OR_RETURN(const SaveOutcome saved, saver_->Finish());
  observer_.OnSaved(saved);
  return saved.status.ok() ? absl::OkStatus() : SaveFailure(saved);
}

// What was said when the job was submitted is only then in the job's own record, where others look.
void Trainer::TellOfModel() {
  if (communicator_.rank() != 0 || step_ > 0) return;
  for (const std::string& warning : model_warnings_) {
    pb::Reason notice;
    notice.set_code("ModelImport");
    notice.set_sentence(absl::StrCat("model.onnx: ", warning));
    observer_.OnNotice(notice, step_);
  }
}

// Every rank knows which records are bad; rank 0 says it, once a start.
void Trainer::TellOfBadRecords() {
  if (communicator_.rank() != 0) return;
  for (const pb::Reason& notice : ReportBadRecords(data_, start_.spec().data(),
                                                   start_.checkpoint_folder(), files_)) {
    observer_.OnNotice(notice, step_);
  }
}

// A batch without a good record has no loss: the last one that there was stays.
void Trainer::NoteBatch(const StepOutcome& outcome) {
  if (outcome.updated) {
    metrics_["train/loss"] = outcome.loss;
  } else if (communicator_.rank() == 0 && !told_of_empty_batch_) {
    told_of_empty_batch_ = true;
    observer_.OnNotice(EmptyBatchNotice(step_, train_.global_batch_size()), step_);
  }
}

// Tells whoever watches how it goes. The rate is over the time since the last report, so a pause shows; phase times are
// totals since the start of this generation.
void Trainer::Report() {
  const absl::Time now = absl::Now();
  if (now - last_report_time_ < kReportInterval && step_ != total_steps_) return;
  pb::Progress progress;
  progress.set_step(step_);
  progress.set_total_steps(total_steps_);
  progress.set_epoch(EpochAt(step_));
  progress.set_loss(metrics_["train/loss"]);
  const double samples = static_cast<double>((step_ - last_report_step_) * train_.global_batch_size());
  progress.set_samples_per_second(samples / absl::ToDoubleSeconds(now - last_report_time_));
  progress.set_learning_rate(learning_rate_(step_ - 1));
  progress.set_samples(step_ * train_.global_batch_size());
  progress.set_allreduce_bytes(communicator_.stats().bytes_sent);
  auto& seconds = *progress.mutable_seconds();
  const PhaseTimes& times = stepper_->times();
  seconds["input"] = absl::ToDoubleSeconds(input_time_);
  seconds["forward"] = absl::ToDoubleSeconds(times.forward);
  seconds["backward"] = absl::ToDoubleSeconds(times.backward);
  seconds["allreduce_wait"] = absl::ToDoubleSeconds(times.allreduce_wait);
  seconds["optimizer"] = absl::ToDoubleSeconds(times.optimizer);
  seconds["checkpoint"] = absl::ToDoubleSeconds(checkpoint_time_);
  last_report_time_ = now;
  last_report_step_ = step_;
  base::SetLogStep(step_);
  observer_.OnProgress(progress);
}

// Passes over the data after `step` steps; fractional, since batches straddle epochs.
double Trainer::EpochAt(int64_t step) const {
  return static_cast<double>(step * train_.global_batch_size()) /
         static_cast<double>(data_.training->size());
}

// At multiples of the interval in steps, or when an epoch boundary was crossed by this step. Without an interval: each epoch.
bool Trainer::EvaluationDue() const {
  if (evaluator_ == nullptr) return false;
  const pb::Interval& every = train_.evaluate_every();
  if (every.steps() > 0) return step_ % every.steps() == 0;
  const double epochs = every.epochs() > 0 ? every.epochs() : 1.0;
  return std::floor(EpochAt(step_) / epochs) > std::floor(EpochAt(step_ - 1) / epochs);
}

// As evaluation; an interval in seconds is rank 0's or any other rank's clock, by vote, so that all agree.
bool Trainer::SaveDue(const StepOutcome& outcome) const {
  if (saved_at_ == step_) return false;
  const pb::Interval& every = start_.spec().checkpoint().every();
  if (every.steps() > 0) return step_ % every.steps() == 0;
  if (every.epochs() > 0) {
    return std::floor(EpochAt(step_) / every.epochs()) >
           std::floor(EpochAt(step_ - 1) / every.epochs());
  }
  return outcome.save_due > 0;
}

// trainer.json: what a person, or a later version, wants to know of this moment. Resuming needs the step alone, and in exact
// mode the fingerprint, which must be that of whoever goes on from here.
base::Json Trainer::TrainerState() const {
  base::Json state;
  state.Set("step", step_)
      .Set("epoch", EpochAt(step_))
      .Set("total_steps", total_steps_)
      .Set("seed", static_cast<int64_t>(train_.seed()))
      .Set("learning_rate", learning_rate_(std::max<int64_t>(0, step_ - 1)))
      .Set("global_batch_size", train_.global_batch_size())
      .Set("world_size", communicator_.world_size())
      .Set("optimizer", train_.optimizer().type())
      .Set("model", start_.spec().model().zoo().empty() ? start_.spec().model().onnx()
                                                        : start_.spec().model().zoo())
      .Set("plan", PlanState(plan_))
      .Set("fingerprint", plan_.fingerprint())
      .Set("version", base::kVersion);
  return state;
}

}  // namespace rm::trainer
