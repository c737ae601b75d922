// The training step: the order of its four parts is what keeps a broken gang at exactly one step.

#include "runtime/trainer/stepper.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/status.h"
#include "runtime/graph/prepare.h"
#include "runtime/graph/training.h"
#include "runtime/trainer/gradient_norm.h"

namespace rm::trainer {
namespace {

// Places in the report that rides on the last bucket.
enum ReportField : size_t {
  kLoss,
  kCorrectCount,
  kStop,
  kStopCheckpoint,
  kShardWritten,
  kSaveDue,
  kSaving
};

// Adds the time of its scope to `sum`.
class PhaseTimer {
 public:
  explicit PhaseTimer(absl::Duration& sum) : sum_(sum), start_(absl::GetCurrentTimeNanos()) {}
  ~PhaseTimer() { sum_ += absl::Nanoseconds(absl::GetCurrentTimeNanos() - start_); }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  absl::Duration& sum_;
  int64_t start_;
};

}  // namespace

absl::StatusOr<Stepper> Stepper::Create(Replica& replica, comm::Communicator& communicator,
                                        double global_weight, StepperOptions options) {
  Stepper stepper(replica, communicator, std::move(options));
  RM_CHECK(static_cast<int>(stepper.options_.first_rows.size()) == stepper.micro_batches());
  RM_RETURN_IF_ERROR(stepper.FindMemory());
  stepper.missing_ = replica.gradients_in_bucket();
  stepper.SetGlobalWeight(global_weight);
  return stepper;
}

// Inputs and outputs live in the program's arena for good, so their addresses are taken once.
absl::Status Stepper::FindMemory() {
  graph::Program& program = replica_->program();
  RM_ASSIGN_OR_RETURN(batch_, BatchInputs::Find(program, replica_->inputs()));
  RM_ASSIGN_OR_RETURN(void* scale, program.InputMemory(graph::kScale));
  RM_ASSIGN_OR_RETURN(const void* loss, program.OutputMemory(graph::kLossSum));
  scale_ = static_cast<float*>(scale);
  loss_ = static_cast<const float*>(loss);
  // Some models have no dropout, and some losses no classes.
  const auto counters = program.InputMemory(graph::kCounters);
  if (counters.ok()) counters_ = static_cast<int64_t*>(*counters);
  const auto correct = program.OutputMemory(graph::kCorrect);
  if (correct.ok()) correct_ = static_cast<const float*>(*correct);
  return absl::OkStatus();
}

// A scale of 0 makes every gradient 0, of rows that have no weight anyway.
void Stepper::SetGlobalWeight(double global_weight) {
  global_weight_ = global_weight;
  *scale_ = global_weight > 0 ? static_cast<float>(1.0 / global_weight) : 0.0F;
}

// Nothing before the optimizer changes a weight, and the optimizer runs only after the last bucket is reduced: on any
// error the weights are those of the step before.
absl::StatusOr<StepOutcome> Stepper::Run(double learning_rate, const Votes& votes) {
  Sums sums;
  for (int micro_batch = 0; micro_batch < micro_batches(); ++micro_batch) {
    replica_->BeginMicroBatch();
    RM_RETURN_IF_ERROR(Forward(micro_batch, &sums));
    RecordStatistics(replica_->is_exact() ? 0 : micro_batch);
    // Before the last backward pass, which starts the last bucket on its way. Each virtual shard has a report of its own,
    // which is added along the tree as its gradients are; what the rank has to say stands in the last one.
    const bool is_last = micro_batch + 1 == micro_batches();
    if (replica_->is_exact() || is_last) {
      RM_RETURN_IF_ERROR(WriteReport(sums, is_last ? votes : Votes()));
    }
    if (replica_->is_exact()) sums = Sums();
    RM_RETURN_IF_ERROR(Backward(micro_batch));
  }
  {
    PhaseTimer timer(times_.allreduce_wait);
    RM_RETURN_IF_ERROR(communicator_->WaitAll());
  }
  StepOutcome outcome = ReadReport();
  // Without a sample there is no gradient, and momentum or weight decay alone would still move the weights.
  if (outcome.updated) RM_RETURN_IF_ERROR(Update(learning_rate, &outcome));
  ++step_;
  return outcome;
}

// Every rank has the same sums, so every rank clips alike, or finds the same gradient that is no number.
absl::Status Stepper::Update(double learning_rate, StepOutcome* outcome) {
  PhaseTimer timer(times_.optimizer);
  UpdateStep update;
  update.learning_rate = learning_rate;
  update.number = step_ + 1;
  if (options_.gradient_clip > 0) {
    outcome->gradient_norm = GradientNorm(replica_->gradients());
    if (!std::isfinite(outcome->gradient_norm)) {
      return absl::DataLossError(absl::StrCat(
          "NonFiniteGradient: the norm of the gradient is ", outcome->gradient_norm,
          "; lower the learning rate or look for bad values in the data"));
    }
    update.gradient_scale = ClipScale(outcome->gradient_norm, options_.gradient_clip);
  }
  RM_RETURN_IF_ERROR(replica_->optimizer().Apply(update));
  replica_->statistics().Update();
  return absl::OkStatus();
}

// Uses a collective of its own, since no gradients are on their way.
absl::StatusOr<double> Stepper::EvaluateLoss() {
  Sums sums;
  for (int micro_batch = 0; micro_batch < micro_batches(); ++micro_batch) {
    RM_RETURN_IF_ERROR(Forward(micro_batch, &sums));
  }
  RM_RETURN_IF_ERROR(communicator_->SumInPlace(absl::MakeSpan(&sums.loss, 1)));
  return sums.loss / global_weight_;
}

// Rows and counters in, loss out.
absl::Status Stepper::Forward(int micro_batch, Sums* sums) {
  if (fill_) fill_(micro_batch);
  if (counters_ != nullptr) {
    counters_[0] = static_cast<int64_t>(options_.seed);
    counters_[1] = step_;
    counters_[2] = options_.first_rows[static_cast<size_t>(micro_batch)];
  }
  PhaseTimer timer(times_.forward);
  RM_RETURN_IF_ERROR(replica_->program().Forward());
  sums->loss += static_cast<double>(*loss_);
  if (correct_ != nullptr) sums->correct += static_cast<double>(*correct_);
  return absl::OkStatus();
}

// Between the passes as well: what buffers follow is known, and the last bucket has not started.
void Stepper::RecordStatistics(int micro_batch) {
  float weight = 0;
  const float* const weights = batch_.memory().weights;
  for (int64_t i = 0; i < batch_.weight_count(); ++i) weight += weights[i];
  replica_->statistics().Record(micro_batch, weight);
}

// A bucket starts on its way with its last gradient; gradients become final in the same order on every rank, so buckets start
// in the same order too.
absl::Status Stepper::Backward(int micro_batch) {
  PhaseTimer timer(times_.backward);
  const bool is_last = micro_batch + 1 == micro_batches();
  missing_ = replica_->gradients_in_bucket();
  absl::Status summed;
  const auto on_gradient_ready = [&](int parameter) {
    const int bucket = replica_->bucket_of()[static_cast<size_t>(parameter)];
    if (--missing_[static_cast<size_t>(bucket)] > 0) return;
    summed.Update(replica_->Take(bucket, micro_batch));
    if (is_last) communicator_->AllReduce(bucket);
  };
  RM_RETURN_IF_ERROR(replica_->program().Backward(on_gradient_ready));
  return summed;
}

// Written between the passes: the loss is known, and the last bucket has not started.
absl::Status Stepper::WriteReport(const Sums& sums, const Votes& votes) {
  if (!std::isfinite(sums.loss)) {
    return absl::DataLossError(absl::StrCat(
        "NonFiniteLoss: the loss of rank ", communicator_->rank(), " is ", sums.loss,
        "; lower the learning rate or look for bad values in the data"));
  }
  absl::Span<float> report = replica_->report();
  report[kLoss] = static_cast<float>(sums.loss);
  report[kCorrectCount] = static_cast<float>(sums.correct);
  report[kStop] = votes.stop ? 1.0F : 0.0F;
  report[kStopCheckpoint] = votes.stop_checkpoint ? 1.0F : 0.0F;
  report[kShardWritten] = votes.shard_written ? 1.0F : 0.0F;
  report[kSaveDue] = votes.save_due ? 1.0F : 0.0F;
  report[kSaving] = votes.saving ? 1.0F : 0.0F;
  return absl::OkStatus();
}

// Sums of small whole numbers: exact in float32, and the same bits on every rank.
StepOutcome Stepper::ReadReport() const {
  const absl::Span<const float> report = replica_->report();
  StepOutcome outcome;
  outcome.updated = global_weight_ > 0;
  outcome.loss = outcome.updated ? static_cast<double>(report[kLoss]) / global_weight_ : 0;
  outcome.correct = static_cast<double>(report[kCorrectCount]);
  outcome.stop = static_cast<int>(report[kStop]);
  outcome.stop_checkpoint = static_cast<int>(report[kStopCheckpoint]);
  outcome.shard_written = static_cast<int>(report[kShardWritten]);
  outcome.save_due = static_cast<int>(report[kSaveDue]);
  outcome.saving = static_cast<int>(report[kSaving]);
  return outcome;
}

}  // namespace rm::trainer
