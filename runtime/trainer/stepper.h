// One training step of one rank: forward, backward with the allreduce running behind it, optimizer.
//
// A rank's share may be computed in several micro-batches, one after the other: their gradients are summed where they lie, and only
// the last one's backward pass starts the allreduce.
//
// The same code runs in a job and in `trainctl bench train`.
#ifndef RM_RUNTIME_TRAINER_STEPPER_H_
#define RM_RUNTIME_TRAINER_STEPPER_H_

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "comm/collective/communicator.h"
#include "runtime/trainer/batch_inputs.h"
#include "runtime/trainer/replica.h"

namespace rm::trainer {

// What this rank brings to the step beside its gradients; summed over the ranks.
struct Votes {
  bool stop = false;              // leave after this step
  bool stop_checkpoint = false;   // … and write a checkpoint before
  bool shard_written = false;     // this rank's part of the pending checkpoint is on disk
  bool save_due = false;          // by this rank's clock a checkpoint is due
  bool saving = false;            // a save of this rank is under way
};

// What all ranks know after the step, the same on each.
struct StepOutcome {
  bool updated = true;   // false: the batch had no weight at all, and the weights are as they were
  double loss = 0;       // mean over the global batch (weighted); 0 when it has no weight
  double correct = 0;    // weighted count of right answers; 0 for a loss without classes
  double gradient_norm = 0;  // before it was clipped; 0 where it is not asked for
  int stop = 0;          // ranks that voted so
  int stop_checkpoint = 0;
  int shard_written = 0;
  int save_due = 0;
  int saving = 0;
};

// Time spent in each phase since the stepper was made.
struct PhaseTimes {
  absl::Duration forward, backward, allreduce_wait, optimizer;
};

// What a step depends on beside the batch and the learning rate. The same on every rank, but for first_rows.
struct StepperOptions {
  double gradient_clip = 0;  // largest norm of the gradient (train.gradient_clipping); 0: any
  uint64_t seed = 1;         // of dropout
  // Places in the global batch of the first row of each micro-batch; as many as the replica has micro-batches.
  std::vector<int64_t> first_rows = {0};
};

// Thread-compatible. The replica and the communicator outlive it.
class Stepper {
 public:
  // `global_weight`: sum of the sample weights of one global batch; what gradients and the loss are divided by, until
  // SetGlobalWeight says otherwise.
  [[nodiscard]] static absl::StatusOr<Stepper> Create(Replica& replica,
                                                      comm::Communicator& communicator,
                                                      double global_weight,
                                                      StepperOptions options = {});

  // Memory of this rank's batch, to be filled before Run: each input of the model and the target, in the types that the program
  // has, and weights (0 leaves a row, or what has a label of its own, out).
  [[nodiscard]] const BatchInputs& batch() const { return batch_; }
  // The same of a model whose first input is float32, with classes as targets.
  [[nodiscard]] float* features() { return static_cast<float*>(batch_.memory().inputs[0]); }
  [[nodiscard]] int64_t* labels() { return static_cast<int64_t*>(batch_.memory().target); }
  [[nodiscard]] float* weights() { return batch_.memory().weights; }

  // Another weight of the global batch, from the next Run on; the same on every rank. 0: no row of any rank counts, so the
  // step is taken without an update, and nothing is divided.
  void SetGlobalWeight(double global_weight);

  // Called before each micro-batch's forward pass, to put its rows into the memory above. Need not be set for one micro-batch.
  void SetFill(std::function<void(int micro_batch)> fill) { fill_ = std::move(fill); }

  // Steps that were applied before the next Run, which counts on from there. 0 at first.
  void SetStep(int64_t step) { step_ = step; }

  // One step at this learning rate. On an error the weights are those before the step: the optimizer starts only
  // when every bucket is reduced. NonFiniteLoss and NonFiniteGradient are DataLoss; the first names this rank. Allocates nothing
  // and takes no lock, but for what the communicator does.
  [[nodiscard]] absl::StatusOr<StepOutcome> Run(double learning_rate, const Votes& votes);

  // The loss of the step's batch with the present weights, over all ranks; nothing is changed.
  [[nodiscard]] absl::StatusOr<double> EvaluateLoss();

  [[nodiscard]] const PhaseTimes& times() const { return times_; }

 private:
  // Sums over the micro-batches of this rank.
  struct Sums {
    double loss = 0;
    double correct = 0;
  };

  Stepper(Replica& replica, comm::Communicator& communicator, StepperOptions options)
      : replica_(&replica), communicator_(&communicator), options_(std::move(options)) {}

  [[nodiscard]] int micro_batches() const { return replica_->micro_batches(); }
  absl::Status FindMemory();
  absl::Status Forward(int micro_batch, Sums* sums);
  void RecordStatistics(int micro_batch);
  absl::Status Backward(int micro_batch);
  absl::Status WriteReport(const Sums& sums, const Votes& votes);
  [[nodiscard]] StepOutcome ReadReport() const;
  absl::Status Update(double learning_rate, StepOutcome* outcome);

  Replica* replica_;
  comm::Communicator* communicator_;
  StepperOptions options_;
  std::function<void(int micro_batch)> fill_;
  double global_weight_ = 1;
  int64_t step_ = 0;  // applied steps
  // The program's inputs and outputs, found once.
  BatchInputs batch_;
  float* scale_ = nullptr;    // one over the global weight
  int64_t* counters_ = nullptr;  // of dropout; nullptr for a model without
  const float* loss_ = nullptr;
  const float* correct_ = nullptr;  // nullptr for a loss without classes
  std::vector<int> missing_;  // gradients each bucket still waits for
  PhaseTimes times_;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_STEPPER_H_
