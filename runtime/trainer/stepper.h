// One training step of one rank: forward, backward with the allreduce running behind it, optimizer.
//
// The same code runs in a job and in `trainctl bench train`.
#ifndef RM_RUNTIME_TRAINER_STEPPER_H_
#define RM_RUNTIME_TRAINER_STEPPER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "comm/collective/communicator.h"
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
  double correct = 0;    // weighted count of right answers
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

// Thread-compatible. The replica and the communicator outlive it.
class Stepper {
 public:
  // `global_weight`: sum of the sample weights of one global batch; what gradients and the loss are divided by, until
  // SetGlobalWeight says otherwise.
  [[nodiscard]] static absl::StatusOr<Stepper> Create(Replica& replica,
                                                      comm::Communicator& communicator,
                                                      double global_weight);

  // Memory of this rank's batch, to be filled before Run: features (rows as the program's input), labels and weights
  // (one a row; weight 0 leaves a row out).
  [[nodiscard]] float* features() { return features_; }
  [[nodiscard]] int64_t* labels() { return labels_; }
  [[nodiscard]] float* weights() { return weights_; }

  // Another weight of the global batch, from the next Run on; the same on every rank. 0: no row of any rank counts, so the
  // step is taken without an update, and nothing is divided.
  void SetGlobalWeight(double global_weight);

  // One step at this learning rate. On an error the weights are those before the step: the optimizer starts only
  // when every bucket is reduced. NonFiniteLoss is DataLoss and names this rank.
  [[nodiscard]] absl::StatusOr<StepOutcome> Run(double learning_rate, const Votes& votes);

  // The loss of the batch in memory with the present weights, over all ranks; nothing is changed.
  [[nodiscard]] absl::StatusOr<double> EvaluateLoss();

  [[nodiscard]] const PhaseTimes& times() const { return times_; }

 private:
  Stepper(Replica& replica, comm::Communicator& communicator, double global_weight)
      : replica_(&replica), communicator_(&communicator), global_weight_(global_weight) {}

  absl::Status Forward();
  void RecordStatistics();
  absl::Status Backward();
  absl::Status WriteReport(const Votes& votes);
  [[nodiscard]] StepOutcome ReadReport() const;
  [[nodiscard]] absl::StatusOr<float> OutputScalar(const char* name) const;

  Replica* replica_;
  comm::Communicator* communicator_;
  double global_weight_;
  float* features_ = nullptr;
  int64_t* labels_ = nullptr;
  float* weights_ = nullptr;
  float* scale_ = nullptr;    // the program's input: one over the global weight
  int64_t weight_count_ = 0;  // of weights_
  std::vector<int> missing_;  // gradients each bucket still waits for
  PhaseTimes times_;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_STEPPER_H_
