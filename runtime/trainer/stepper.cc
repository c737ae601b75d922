// The training step: the order of its four parts is what keeps a broken gang at exactly one step.

#include "runtime/trainer/stepper.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "runtime/graph/training.h"
#include "runtime/model/model.h"

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

// Inputs live in the program's arena for good, so their addresses are taken once.
absl::StatusOr<Stepper> Stepper::Create(Replica& replica, comm::Communicator& communicator,
                                        double global_weight) {
  Stepper stepper(replica, communicator, global_weight);
  graph::Program& program = replica.program();
  RM_ASSIGN_OR_RETURN(void* features, program.InputMemory(model::kInput));
  RM_ASSIGN_OR_RETURN(void* labels, program.InputMemory(graph::kLabels));
  RM_ASSIGN_OR_RETURN(void* weights, program.InputMemory(graph::kWeights));
  RM_ASSIGN_OR_RETURN(void* scale, program.InputMemory(graph::kScale));
  stepper.features_ = static_cast<float*>(features);
  stepper.labels_ = static_cast<int64_t*>(labels);
  stepper.weights_ = static_cast<float*>(weights);
  stepper.scale_ = static_cast<float*>(scale);
  RM_ASSIGN_OR_RETURN(const kernels::TensorType weights_type,
                      program.InputType(graph::kWeights));
  stepper.weight_count_ = weights_type.elements();
  stepper.SetGlobalWeight(global_weight);
  return stepper;
}

// A scale of 0 makes every gradient 0, of rows that have no weight anyway.
void Stepper::SetGlobalWeight(double global_weight) {
  global_weight_ = global_weight;
  *scale_ = global_weight > 0 ? static_cast<float>(1.0 / global_weight) : 0.0F;
}

// Nothing before the optimizer changes a weight, and the optimizer runs only after the last bucket is reduced: on any
// error the weights are those of the step before.
absl::StatusOr<StepOutcome> Stepper::Run(double learning_rate, const Votes& votes) {
  RM_RETURN_IF_ERROR(Forward());
  RecordStatistics();
  RM_RETURN_IF_ERROR(WriteReport(votes));
  RM_RETURN_IF_ERROR(Backward());
  {
    PhaseTimer timer(times_.allreduce_wait);
    RM_RETURN_IF_ERROR(communicator_->WaitAll());
  }
  PhaseTimer timer(times_.optimizer);
  // Without a sample there is no gradient, and momentum or weight decay alone would still move the weights.
  if (global_weight_ > 0) RM_RETURN_IF_ERROR(replica_->optimizer().Apply(learning_rate));
  replica_->statistics().Update();
  return ReadReport();
}

// Uses a collective of its own, since no gradients are on their way.
absl::StatusOr<double> Stepper::EvaluateLoss() {
  RM_RETURN_IF_ERROR(Forward());
  RM_ASSIGN_OR_RETURN(const float loss_sum, OutputScalar(graph::kLossSum));
  double sum = static_cast<double>(loss_sum);
  RM_RETURN_IF_ERROR(communicator_->SumInPlace(absl::MakeSpan(&sum, 1)));
  return sum / global_weight_;
}

absl::Status Stepper::Forward() {
  PhaseTimer timer(times_.forward);
  return replica_->program().Forward();
}

// Between the passes as well: what buffers follow is known, and the last bucket has not started.
void Stepper::RecordStatistics() {
  float weight = 0;
  for (int64_t i = 0; i < weight_count_; ++i) weight += weights_[i];
  replica_->statistics().Record(0, weight);
}

// A bucket starts on its way with its last gradient; gradients become final in the same order on every rank, so buckets start
// in the same order too.
absl::Status Stepper::Backward() {
  PhaseTimer timer(times_.backward);
  missing_ = replica_->gradients_in_bucket();
  return replica_->program().Backward([this](int parameter) {
    const int bucket = replica_->bucket_of()[static_cast<size_t>(parameter)];
    if (--missing_[static_cast<size_t>(bucket)] == 0) communicator_->AllReduce(bucket);
  });
}

// Written between the passes: the loss is known, and the last bucket has not started.
absl::Status Stepper::WriteReport(const Votes& votes) {
  RM_ASSIGN_OR_RETURN(const float loss_sum, OutputScalar(graph::kLossSum));
  RM_ASSIGN_OR_RETURN(const float correct, OutputScalar(graph::kCorrect));
  if (!std::isfinite(loss_sum)) {
    return absl::DataLossError(absl::StrCat(
        "NonFiniteLoss: the loss of rank ", communicator_->rank(), " is ", loss_sum,
        "; lower the learning rate or look for bad values in the data"));
  }
  absl::Span<float> report = replica_->report();
  report[kLoss] = loss_sum;
  report[kCorrectCount] = correct;
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

absl::StatusOr<float> Stepper::OutputScalar(const char* name) const {
  RM_ASSIGN_OR_RETURN(const void* memory, replica_->program().OutputMemory(name));
  return *static_cast<const float*>(memory);
}

}  // namespace rm::trainer
