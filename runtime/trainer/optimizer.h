// The optimizers: one file each and one line in the table of optimizer.cc.
//
// An optimizer updates all flat buckets in one pass, in place, by the update kernel of its rule (kernels/api/op.h). It
// runs when the last bucket is reduced, and never stops half-way.
#ifndef RM_RUNTIME_TRAINER_OPTIMIZER_H_
#define RM_RUNTIME_TRAINER_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/api/kernel.h"
#include "proto/job.pb.h"

namespace rm::trainer {

// Neighbouring parameters of a bucket that are treated alike. Multiples of 16 elements, padding included.
struct BucketRun {
  size_t first = 0;
  size_t count = 0;
  bool decays = true;  // weight decay applies; false for what train.optimizer.no_decay names
};

// One bucket of a replica. All spans have the same length; state[i] is the optimizer's i-th state tensor. The runs cover
// the bucket in order.
struct BucketMemory {
  absl::Span<float> weights;
  absl::Span<float> gradients;
  std::vector<absl::Span<float>> state;
  std::vector<BucketRun> runs;
};

// One update of all weights.
struct UpdateStep {
  double learning_rate = 0;
  int64_t number = 1;           // from 1, over all restarts of the job: what Adam corrects its means by
  float gradient_scale = 1.0F;  // below 1 where gradients are clipped
};

// Thread-compatible.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Names of the state tensors it keeps for each parameter ("momentum"), in the order of BucketMemory::state.
  [[nodiscard]] virtual std::vector<std::string> state_names() const = 0;

  // Makes the kernels for these buckets. Call once; the memory must outlive the optimizer.
  [[nodiscard]] virtual absl::Status Bind(const std::vector<BucketMemory>& buckets,
                                          kernels::KernelTable table,
                                          const kernels::KernelOptions& options) = 0;

  // Updates every bucket with its reduced gradient. Allocates nothing.
  [[nodiscard]] virtual absl::Status Apply(const UpdateStep& update) = 0;
};

// InvalidArgument for an unknown type, with the list of known ones, and for what the optimizer does not take.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(
    const ringmaster::v1::OptimizerSpec& spec);

// SGD with momentum, weight decay and Nesterov's form, by PyTorch's rule (kernels/api/op.h, SgdUpdate).
[[nodiscard]] absl::StatusOr<std::unique_ptr<Optimizer>> MakeSgd(
    const ringmaster::v1::OptimizerSpec& spec);

// Adam by PyTorch's rule (AdamUpdate): weight decay is added to the gradient.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdam(
    const ringmaster::v1::OptimizerSpec& spec);
// AdamW: weight decay takes its share of the weight itself, 0.01 of the learning rate if not given.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Optimizer>> MakeAdamW(
    const ringmaster::v1::OptimizerSpec& spec);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_OPTIMIZER_H_
