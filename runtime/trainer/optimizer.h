// The optimizers: one file each and one line in the table of optimizer.cc.
//
// An optimizer updates one flat bucket at a time, in place, by the update kernel of its rule (kernels/api/op.h). It
// runs when the bucket's gradient is reduced, and never stops half-way.
#ifndef RM_RUNTIME_TRAINER_OPTIMIZER_H_
#define RM_RUNTIME_TRAINER_OPTIMIZER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "kernels/api/kernel.h"
#include "proto/job.pb.h"

namespace rm::trainer {

// One bucket of a replica. All spans have the same length; state[i] is the optimizer's i-th state tensor.
struct BucketMemory {
  absl::Span<float> weights;
  absl::Span<float> gradients;
  std::vector<absl::Span<float>> state;
};

// Thread-compatible.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Names of the state tensors it keeps for each parameter ("momentum"), in the order of BucketMemory::state.
  [[nodiscard]] virtual std::vector<std::string> state_names() const = 0;

  // Makes the kernels for these buckets. Call once; the memory must outlive the optimizer.
  [[nodiscard]] virtual absl::Status Bind(std::vector<BucketMemory> buckets,
                                          kernels::KernelTable table,
                                          const kernels::KernelOptions& options) = 0;

  // Updates every bucket with its reduced gradient at this learning rate.
  [[nodiscard]] virtual absl::Status Apply(double learning_rate) = 0;
};

// InvalidArgument for an unknown type, with the list of known ones.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(
    const ringmaster::v1::OptimizerSpec& spec);

// SGD with momentum, weight decay and Nesterov's form, by PyTorch's rule (kernels/api/op.h, SgdUpdate).
[[nodiscard]] absl::StatusOr<std::unique_ptr<Optimizer>> MakeSgd(
    const ringmaster::v1::OptimizerSpec& spec);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_OPTIMIZER_H_
