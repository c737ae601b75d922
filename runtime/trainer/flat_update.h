// An update operator over all of a replica's flat memory: what the optimizers share.
//
// An update operator takes (weights, gradients, state…, numbers) and writes (weights, state…) in place. Weight decay is one of
// the numbers; so a bucket is cut into runs of parameters that decay and runs that do not, and each run is one call of a kernel
// with the numbers of its kind.
#ifndef RM_RUNTIME_TRAINER_FLAT_UPDATE_H_
#define RM_RUNTIME_TRAINER_FLAT_UPDATE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/api/kernel.h"
#include "runtime/trainer/optimizer.h"

namespace rm::trainer {

// Thread-compatible. Not movable once bound: calls hold addresses of the numbers.
class FlatUpdate {
 public:
  // `op` has `state` state tensors and `numbers` numbers (at most 16).
  FlatUpdate(std::string op, int state, int numbers);
  FlatUpdate(const FlatUpdate&) = delete;
  FlatUpdate& operator=(const FlatUpdate&) = delete;

  // Makes a kernel for each run. Internal when the table has none for the operator.
  [[nodiscard]] absl::Status Bind(const std::vector<BucketMemory>& buckets,
                                  kernels::KernelTable table,
                                  const kernels::KernelOptions& options);

  // The operator's numbers, for runs that decay and for those that do not; read by the next Run.
  [[nodiscard]] absl::Span<float> numbers(bool decays) {
    return absl::MakeSpan(decays ? decaying_ : plain_, static_cast<size_t>(number_count_));
  }

  // One pass over everything, bucket by bucket. Allocates nothing.
  [[nodiscard]] absl::Status Run();

 private:
  static constexpr int kNumbersMax = 16;

  // One run, ready to go.
  struct Call {
    std::unique_ptr<kernels::Kernel> kernel;
    std::vector<const void*> inputs;
    std::vector<void*> outputs;
  };

  [[nodiscard]] kernels::OpInstance Instance(int64_t elements) const;

  const std::string op_;
  const int state_count_;
  const int number_count_;
  alignas(64) float decaying_[kNumbersMax] = {};
  alignas(64) float plain_[kNumbersMax] = {};
  std::vector<Call> calls_;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_FLAT_UPDATE_H_
